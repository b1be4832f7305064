#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The bench suite's own programs run to their end on liballoc, in small, and
# bench/run makes its tables of them.
# shellcheck disable=SC1091 # it is found at run time
. "$top_srcdir/tests/tap/tap.sh"

[ -f "$liballoc" ] || skip_all 'no shared liballoc'
loads=$top_builddir/bench/loads/loads
"$loads" 2>"$tmp/loads"
names=$(sed -n 's/^  \([a-z-]*\) .*/\1/p' "$tmp/loads")
# shellcheck disable=SC2086 # names are words
set -- $names
plan $(($# * 2 + 10))

# Enough for threads to end, batches to move and pages to be given back.
for name; do
	case $name in
	scratch | thrash) count=2 ;;
	grow) count=1 ;;
	large-touched) count=20 ;;
	*) count=100000 ;;
	esac
	ok "$name runs on one thread" preload "$loads" "$name" $count 1
	ok "$name runs on three threads" preload "$loads" "$name" $count 3
done

runs 2 'an unknown load is an error' "$loads" nothing 1 1
run_bench() {
	"$top_srcdir/bench/run" --quick --allocators=glibc,liballoc \
		--only='churn*,trees-2' "$top_builddir"
}
ok 'bench/run runs' run_bench
matches 'a row for each program' '^\| trees-2 ' "$tmp/out"
matches 'ratios to the best peer' '^\| mean of RSS ' "$tmp/out"

overhead() {
	"$top_srcdir/bench/overhead" --quick --times --only=trees-2 \
		"$top_builddir"
}
if LD_PRELOAD=libjemalloc.so.2 /bin/true 2>&1 | grep -q .; then
	skip 'bench/overhead runs' 'no jemalloc'
	skip 'with a row for each program' 'no jemalloc'
	skip 'and the mean of each rate' 'no jemalloc'
else
	ok 'bench/overhead runs' overhead
	matches 'with a row for each program' \
		'^\| trees-2 .* MiB \|( +[-+][0-9.]+ % \|){3} ' "$tmp/out"
	matches 'and the mean of each rate' \
		'^\| mean  .*\|( +[-+][0-9.]+ % \|){3} ' "$tmp/out"
fi
ok 'bench/figures runs' "$top_srcdir/bench/figures" --quick \
	--allocators=glibc,liballoc "$top_builddir"
matches 'single calls are timed' '^\| malloc-p99.9 .* [0-9.]+ \|' "$tmp/out"
ok 'memory after a load is told' preload "$top_builddir/bench/memory" overhead 4
