#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Dumps: their grammar, their figures, their names; switches, fork, threads;
# triggers that must not hang; failures that must cost a message only.
. "$top_srcdir/tests/tap/tap.sh"
plan 46

$CC -g -O1 -I"$top_srcdir/liballoc/include" \
	"$top_srcdir/tests/integration/prof/exercise.c" -o "$tmp/exercise" \
	"$liballoc" -lpthread -Wl,-rpath,"$top_builddir/liballoc/.libs" ||
	exit 99
cd "$tmp" || exit 99

# exercise CONF WHAT [PATH]
exercise() {
	MALLOC_CONF=$1 timeout 100 ./exercise "$2" "${3-$tmp/heap}"
}

# Each line is one that jemalloc's grammar or ours has.
grammar() {
	awk '
	part == 2 { next }
	NR == 1 { if ($0 !~ /^heap_v2\/[0-9]+$/) bad(); next }
	/^MAPPED_LIBRARIES:$/ { if (last != "") bad(); part = 2; next }
	{ last = $0 }
	/^$/ { next }
	/^# (jeheap|time_ns|start_time_ns|monotonic_ns|pid|lg_sample) [0-9]+$/ \
		|| /^# (command|library|dropped|truncated_stacks) / {
		if (part == 1) bad(); next }
	/^# build_id [0-9a-f]+-[0-9a-f]+ [0-9a-f]+ / { next }
	/^# (at [0-9]+ )?t[0-9]+: [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+(, [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+)*$/ {
		if (part != 1) bad(); next }
	/^# squares t[0-9]+: [0-9]+ [0-9]+ [0-9]+(, [0-9]+ [0-9]+ [0-9]+)*$/ {
		if (part != 1) bad(); next }
	/^# freed t[0-9]+: [0-9]+ [0-9]+ [0-9]+( [0-9]+:[0-9]+)*(, [0-9]+ [0-9]+ [0-9]+( [0-9]+:[0-9]+)*)*$/ {
		if (part != 1) bad(); next }
	/^@( 0x[0-9a-f]+)+$/ { part = 1; next }
	/^  t(\*|[0-9]+): [0-9]+: [0-9]+ \[[0-9]+: [0-9]+\]( .*)?$/ { next }
	{ bad() }
	function bad() { print FILENAME ":" NR ": " $0; failed = 1 }
	END { exit failed || part != 2 }
	' "$1"
}

# spectrum SIZE: the sums over all stacks of that size class.
spectrum() {
	sed -n 's/^# t[0-9]*: //p' heap | tr ',' '\n' |
		awk -v size="$1" '$1 == size { for (i = 2; i <= 5; i++) s[i] += $i }
			END { print s[2]+0, s[3]+0, s[4]+0, s[5]+0 }'
}

says() {
	[ "$(spectrum "$1")" = "$2" ] || { spectrum "$1"; return 1; }
}

ok 'a program dumps its profile' exercise lg_prof_sample:0 plain
ok 'in the grammar of heap_v2' grammar heap
ok 'what is in use and was allocated is counted' \
	says 1024 '1000 1024000 2000 2048000'
ok 'what leaked too' says 2048 '1000 2048000 1000 2048000'
matches 'the thread is named' '^  t0: .*\] main thread$' heap
ok 'with the names of the system' \
	exercise lg_prof_sample:0,prof_sys_thread_name:true system_name
matches 'they are in the dump' '^  t0: .*\] re\?named ü$' heap
ok 'without prof_unbias' exercise lg_prof_sample:10,prof_unbias:false plain
ok 'the columns are the samples at any rate' [ \
	"$(sed -n '2s/^  t\*: \([0-9]*\): \([0-9]*\) .*/\1 \2/p' heap)" = \
	"$(sed -n 's/^# t[0-9]*: //p' heap | tr ',' '\n' |
		awk '{ n += $2; b += $3 } END { print n, b }')" ]
exercise lg_prof_sample:0 plain
matches 'the columns are the samples where all is sampled' \
	'^  t\*: 1000: 1024000 \[1000: 1024000\]' heap
ok 'sizes of one class' exercise lg_prof_sample:0 sizes
ok 'keep to the grammar' grammar heap
squares=$(sed -n 's/^# squares t0: //p' heap | tr ',' '\n' |
	awk '$1 == 327680 { n += $2; m += $3 } END { print n, m }')
ok 'have their squares' [ "$squares" = \
	"$((65 * 65 + 80 * 80)) $((2 * 65 * 65 + 80 * 80))" ]
ok 'without what was allocated' exercise \
	lg_prof_sample:0,prof_accum:false sizes
matches 'there are none of it' '^# squares t0: 327680 [1-9][0-9]* 0' heap
exercise lg_prof_sample:0 plain
if command -v jeprof >/dev/null && [ -x /usr/bin/jeprof ]; then
	ok "jemalloc's jeprof reads it" /usr/bin/jeprof --text --show_bytes \
		./exercise heap
	matches 'and blames the function' '(100\.0|99\.[0-9])% keep$' "$tmp/out"
else
	skip "jemalloc's jeprof reads it" 'not installed'
	skip 'and blames the function' 'not installed'
fi
ok 'without prof_accum' exercise lg_prof_sample:0,prof_accum:false plain
lacks 'nothing accumulated is written' '\[[1-9]' heap
ok 'prof_accum:false keeps to the grammar' grammar heap

ok 'switches work' exercise lg_prof_sample:0 switches
ok 'a reset forgets' says 3072 '0 0 0 0'
ok 'prof.active:false samples nothing' says 4096 '0 0 0 0'
ok 'thread.prof.active:false samples nothing' says 5120 '0 0 0 0'
ok 'what comes later is sampled' says 1024 '1000 1024000 1000 1024000'

ok 'a fork dumps' exercise lg_prof_sample:0 forked
ok "its parent's objects are known" says 1024 '0 0 1000 1024000'
ok 'and its own' says 3072 '1000 3072000 1000 3072000'

ok '12,000 threads are sampled' \
	exercise lg_prof_sample:0,prof_ledger_bytes:4194304 threads
ok 'their dump keeps to the grammar' grammar heap
ok 'none of their objects is lost' says 112 '120 13440 12120 1357440'

ok 'dumps, resets and forks among busy threads' exercise lg_prof_sample:8 storm
ok 'interval and peak dumps among busy threads do not hang' exercise \
	"lg_prof_sample:14,lg_prof_interval:24,prof_gdump:true,prof_prefix:$tmp/s" \
	storm
rm -f "$tmp"/s.*
ok 'names follow prof.prefix' exercise \
	prof_final:true,lg_prof_interval:26,prof_gdump:true named "$tmp/x"
if [ -n "$(ls "$tmp"/x.*.0.*.heap)" ] &&
	[ -n "$(ls "$tmp"/x.*.m0.heap)" ] &&
	[ -n "$(ls "$tmp"/x.*.i0.heap)" ] &&
	[ -n "$(ls "$tmp"/x.*.u0.heap)" ] &&
	[ -n "$(ls "$tmp"/x.*.f.heap)" ]; then
	result 0 'sequence and kind are in the names'
else
	result 1 'sequence and kind are in the names'
	ls "$tmp" | sed 's/^/# /'
fi

ok 'a missing directory' exercise '' failing "$tmp/none/heap"
matches 'costs a message' 'cannot write the profile .*: no such directory' \
	"$tmp/err"
ok 'a full disk' exercise '' failing /dev/full
matches 'costs a message too' 'cannot write the profile /dev/full: no space' \
	"$tmp/err"
runs 0 'a log without its directory' env LD_PRELOAD="$liballoc" \
	MALLOC_CONF="prof_log:true,prof_prefix:$tmp/none/x" /bin/true
matches 'costs a message as well' \
	'cannot write the log .*/none/x.*json: no such directory' "$tmp/err"
ok 'nothing is left behind' test -z "$(ls "$tmp" | grep -E 'heap\.|none')"

runs 1 'leaks set the exit status' exercise \
	lg_prof_sample:0,prof_leak_error:true,prof_leak:true plain
matches 'and are summed up' \
	'Leak approximation summary: ~[0-9]+ bytes, ~[0-9]+ objects, >= [0-9]+ contexts' \
	"$tmp/err"
runs 1 'the one asks for the other' exercise \
	lg_prof_sample:0,prof_leak_error:true plain
matches 'as with jemalloc' 'Leak approximation summary' "$tmp/err"
