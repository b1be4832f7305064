#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What options do, seen from programs: realloc to 0, statistics at intervals,
# arenas by CPU, and the sources that opt.malloc_conf.* tells.
. "$top_srcdir/tests/tap/tap.sh"

acts=$top_builddir/tests/integration/ctl/acts

# with CONF COMMAND...: on liballoc, under those options.
with() {
	conf=$1
	shift
	MALLOC_CONF=$conf LD_PRELOAD=$liballoc "$@"
}

plan 18

runs 0 'realloc to 0' with '' "$acts" zero
matches 'frees' '^NULL$' "$tmp/out"
runs 0 'with zero_realloc:alloc' with zero_realloc:alloc "$acts" zero
matches 'it resizes' '^object$' "$tmp/out"
(
	ulimit -c 0
	with zero_realloc:abort "$acts" zero
) >"$tmp/out" 2>"$tmp/err"
[ $? -eq 134 ]
result $? 'with zero_realloc:abort it ends the program'
matches 'and says so' 'zero_realloc:abort' "$tmp/err"

begins() {
	grep -c '^___ Begin liballoc statistics' "$tmp/err"
}

runs 0 'stats_interval:4194304' \
	with stats_interval:4194304,stats_interval_opts:gmablx "$acts" interval
times=$(begins)
[ "$times" -ge 3 ] && [ "$times" -le 5 ]
result $? "prints about four times for 16 MiB ($times)"
lacks 'with the letters given' 'opt\.prof|^bins' "$tmp/err"
runs 0 'without it' with '' "$acts" interval
[ "$(begins)" -eq 0 ]
result $? 'nothing is printed'

runs 0 'a thread that is to be cancelled prints them too' \
	with stats_interval:4194304,stats_interval_opts:gmablx "$acts" cancelled
matches 'and goes where it may' '^at the end$' "$tmp/out"
[ "$(begins)" -ge 3 ]
result $? 'having printed'

runs 0 'both letters and interval at their ends' \
	with stats_interval:0,stats_interval_opts:gmablx,mutex_max_spin:0 \
	"$acts" zero

with percpu_arena:percpu "$acts" percpu >"$tmp/out" 2>"$tmp/err"
case $? in
77)
	skip 'threads follow their CPU' 'there is one CPU'
	skip 'and cannot choose' 'there is one CPU'
	;;
*)
	printf '%s\n' 'moved: 0' 'same: 0' 'stays: 0' >"$tmp/want"
	grep -v chosen "$tmp/out" | sort >"$tmp/got"
	same 'threads follow their CPU' "$tmp/want" "$tmp/got"
	matches 'and cannot choose' '^chosen: [01]$' "$tmp/out"
	;;
esac
with percpu_arena:percpu,narenas:1,stats_print:true,stats_print_opts:mabl \
	"$acts" zero >"$tmp/out" 2>"$tmp/err"
matches 'there are as many arenas as CPUs' \
	"^  opt.narenas: $(awk '/^Cpus_allowed_list/ {
		sub(/.*[-,\t]/, ""); print $0 + 1 }' /proc/self/status)\$" \
	"$tmp/err"
