#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each textual report of a small profile, against what it must be.
. "$top_srcdir/tests/tap/tap.sh"

expected=$top_srcdir/tests/cli/jeprof/expected
cd "$data" || exit 99

# gives FILE OPTION...: jeprof's output equals the file.
gives() {
	golden=$1
	shift
	runs 0 "jeprof $* succeeds" jeprof "$@"
	sed 's/^creator: .*/creator: VERSION/' "$tmp/out" >"$tmp/got"
	same "  and gives $golden" "$expected/$golden" "$tmp/got"
}

plan 46
gives text good-shop.raw
gives json-difference --json --base=good-shop.raw --ignore=Tree \
	good-shop-later.raw
gives cum-focus --cum --focus=Tree good-shop.raw
gives retain --retain='Server|Tree' --show_bytes good-shop.raw
gives alloc-objects --alloc_objects good-shop.raw
gives lines --lines --nodecount=3 good-shop.raw
gives threads '--thread=*' good-shop.raw
# A dump lists threads that live, whether there are samples of them or not.
sed 's/^  t1: 21: .*/&\n  t2: 0: 0 [0: 0] idle/' good-shop.raw >"$tmp/idle.raw"
gives threads '--thread=*' "$tmp/idle.raw"
gives thread-idle --thread=2 "$tmp/idle.raw"
gives difference --base=good-shop.raw good-shop-later.raw
gives drop-negative --drop_negative --base good-shop.raw \
	good-shop-later.raw
gives sum good-shop.raw good-shop-later.raw
gives collapsed --collapsed good-shop.raw
gives collapsed-difference --collapsed --base=good-shop.raw \
	good-shop-later.raw
gives dot --dot --nodecount=6 good-shop.raw
gives callgrind --callgrind good-shop.raw
gives json --json good-shop.raw
sed s:/usr/lib:/opt/none: good-jemalloc.heap >"$tmp/nameless.heap"
gives nameless "$tmp/nameless.heap"

# 3 samples of 4096 bytes at one sample per 64 KiB stand for 194 KiB.
runs 0 'a profile with losses' jeprof good-liballoc.heap
matches '  tells them, unsampled' \
	'^The profiler lost 3 samples, of about 194 KiB, ' "$tmp/out"
for format in collapsed callgrind dot; do
	runs 0 "  so does --$format" jeprof --$format good-liballoc.heap
	matches '    on standard error' \
		'jeprof: .*: the profiler lost 3 samples, of about 194 KiB' \
		"$tmp/err"
done
jeprof --pprof good-liballoc.heap >"$tmp/lost.pb" 2>"$tmp/err"
runs 0 '  and a file for pprof' jeprof --raw "$tmp/lost.pb"
matches '    by a comment' '^# comment the profiler lost 3 samples' "$tmp/out"
