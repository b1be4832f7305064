#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# CPython, all of whose objects come from malloc, does not hang where each new
# high of mapped memory is dumped, whatever locks it and the dynamic linker hold
# by then.
. "$top_srcdir/tests/tap/tap.sh"
command -v python3 >/dev/null || skip_all 'python3 is not installed'
plan 5

# python CONF
python() {
	mkdir -p "$tmp/dumps"
	PYTHONMALLOC=malloc PYTHONPYCACHEPREFIX=$tmp/compiled MALLOC_CONF=$1 \
		LD_PRELOAD=$liballoc timeout 300 python3 \
		"$top_srcdir/tests/integration/prof/imports.py"
}

conf=lg_prof_sample:14,prof_accum:true,prof_gdump:true,prof_prefix:$tmp/dumps/x
ok 'CPython compiles and imports' python "$conf,prof_dump_keep:1"
matches 'to its end' '^done$' "$tmp/out"
ls "$tmp/dumps" >"$tmp/got"
matches 'with many dumps' '\.u[0-9]{2,}\.heap$' "$tmp/got"
rm -rf "$tmp/dumps"
ok 'and with every other trigger as well' python \
	"$conf,prof_dump_keep:1,lg_prof_interval:22,prof_dump_above:1M,prof_dump_step:1M,prof_dump_interval_ms:0"
matches 'to its end' '^done$' "$tmp/out"
