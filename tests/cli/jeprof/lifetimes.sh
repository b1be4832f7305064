#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Lifetimes and frees by other threads: of a profile that is known, and of a
# process and its dump, where they must agree.
. "$top_srcdir/tests/tap/tap.sh"
plan 18

expected=$top_srcdir/tests/cli/jeprof/expected
cd "$data" || exit 99

runs 0 'a profile with lifetimes' jeprof --lifetimes good-lives.raw
same '  gives its table' "$expected/lifetimes" "$tmp/out"
runs 0 'by each function on the stack' jeprof --lifetimes --cum \
	--alloc_objects good-lives.raw
same '  in objects' "$expected/lifetimes-cum" "$tmp/out"
runs 0 'as JSON' jeprof --json good-lives.raw
matches '  with the quantiles' '"median_ns": 1[0-9]{6}' "$tmp/out"
matches '  and the part of other threads' '"freed_elsewhere": [1-9]' "$tmp/out"

ok 'it goes through --raw' sh -c "jeprof --raw good-lives.raw >'$tmp/raw'"
runs 0 '  which is read again' jeprof --lifetimes "$tmp/raw"
same '  with the same result' "$expected/lifetimes" "$tmp/out"
runs 0 'less itself, nothing was freed' jeprof --lifetimes \
	--base=good-lives.raw good-lives.raw
matches '  and that is said' '^Freed: 0 B, of 0 samples' "$tmp/out"
runs 2 'a profile without them' jeprof --lifetimes good-jemalloc.heap
matches '  is refused with a reason' 'holds no lifetimes: nothing' "$tmp/err"
runs 2 'a line of frees that fits nothing' jeprof bad-freed.raw
matches '  is told' 'an extension line is malformed' "$tmp/err"

# 1000 objects of which another thread frees 600, this one 200.
$CC -g -O1 -I"$top_srcdir/liballoc/include" \
	"$top_srcdir/tests/integration/prof/exercise.c" -o "$tmp/exercise" \
	"$liballoc" -lpthread -Wl,-rpath,"$top_builddir/liballoc/.libs" ||
	exit 99
ok 'a program whose threads free for each other' \
	env MALLOC_CONF=lg_prof_sample:0 "$tmp/exercise" frees "$tmp/heap"
jeprof --lifetimes --alloc_objects "$tmp/heap" >"$tmp/table" 2>&1
matches '  is seen through' '^ *800  .* 75\.0%  +200  keep$' "$tmp/table"
