#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# jeprof of a running process: agrees to the last bit with the dump that the
# process wrote at the same quiet moment; works where the process is stopped,
# its program deleted, stripped or linked statically; and says why not where
# there is nothing to read.
. "$top_srcdir/tests/tap/tap.sh"
. "$top_srcdir/tests/integration/live/subject.sh"

here=$top_builddir/tests/integration/live
plan 32

# What may differ is when and where it was read.
facts() {
	jeprof --json --nodecount=0 "$@" |
		grep -vE '^ *"(source|time_ns)":'
}

# agrees DESCRIPTION OPTION...
agrees() {
	agrees_with "$pid" "$@"
}

preloaded=$liballoc
start lg_prof_sample:13,prof_accum:true "$here/subject" "$tmp/dump"
agrees 'a process and its dump agree in bytes in use' --addresses
agrees 'in objects' --inuse_objects
agrees 'in what was allocated since the start' --alloc_space --lines
runs 0 'the table is printed' jeprof "$pid"
matches 'and has the reports' 'keep_reports' "$tmp/out"
stop

start lg_prof_sample:13 "$here/subject" "$tmp/dump" "$tmp/peak"
runs 0 'the peak can be read' jeprof --peak "$pid"
matches 'and says that it is one' '^At the process.s peak, of 2[0-9][0-9] MiB by' \
	"$tmp/out"
matches 'what there was then only is in it' ' pass_peak$' "$tmp/out"
jeprof "$pid" >"$tmp/out" 2>"$tmp/err"
lacks 'and not in what is now' ' pass_peak$' "$tmp/out"
facts --addresses "$tmp/peak" >"$tmp/wanted"
facts --addresses --peak "$pid" >"$tmp/out"
same 'it agrees with the dump of the peak' "$tmp/wanted" "$tmp/out"
stop
start prof_peak:false "$here/subject" "$tmp/dump"
runs 2 'a process without' jeprof --peak "$pid"
matches 'is told how to have one' 'prof_peak:false' "$tmp/err"
stop

start lg_prof_sample:14,prof_accum:false "$here/subject" "$tmp/dump"
agrees 'without prof_accum too' --addresses
kill -STOP "$pid"
runs 0 'a stopped process can be read' jeprof "$pid"
stop

cp "$here/subject" "$tmp/deleted"
start '' "$tmp/deleted" "$tmp/dump"
mv "$tmp/deleted" "$tmp/elsewhere"
runs 0 'a process whose program was deleted' jeprof "$pid"
echo 'int main(void) { return 0; }' >"$tmp/deleted"
runs 0 'and replaced' jeprof "$pid"
lacks 'has no names of what replaced it' 'No such|main\.c' "$tmp/out"
stop

cp "$liballoc" "$tmp/copy.so"
for preloaded in "$liballoc $tmp/copy.so" "$tmp/copy.so $liballoc"; do
	start lg_prof_sample:13,prof_accum:true "$here/subject" "$tmp/dump"
	agrees 'of two copies of liballoc, the one that is used' --addresses
	runs 0 'jestat finds it too' jestat --json "$pid"
	matches 'and what it allocated' '"allocated":[1-9]' "$tmp/out"
	stop
done

preloaded=
start lg_prof_sample:13,prof_accum:true "$here/subject_static" "$tmp/dump"
agrees 'a program that liballoc is linked into' --addresses
stop
strip "$here/subject_static" -o "$tmp/stripped" 2>"$tmp/err" ||
	cp "$here/subject_static" "$tmp/stripped"
start lg_prof_sample:13 "$tmp/stripped" "$tmp/dump"
runs 0 'stripped, it can still be read' jeprof "$pid"
matches 'and says that it has no names' 'no symbols|stripped' "$tmp/out" \
	2>/dev/null
stop

# counts DESCRIPTION: what a million requests of ended threads are told as.
counts() {
	jestat --json "$pid" >"$tmp/out" 2>"$tmp/err"
	told=$(tr , '\n' <"$tmp/out" | sed -n '/thread_totals/,$p' |
		sed -n 's/^"nmalloc"://p')
	[ "${told:-0}" -ge 1000000 ] && [ "${told:-0}" -le 1100000 ]
	result $? "$1 ($told)"
}
preloaded=$liballoc
start prof:false "$here/short_threads"
counts 'what threads did that are gone is not forgotten'
stop
start prof:false,prof_ledger_bytes:262144 "$here/short_threads" 500
counts 'nor what those did that found no row'
stop
preloaded=

start prof:false "$here/subject_static" "$tmp/dump"
runs 2 'a process without profiling' jeprof "$pid"
matches 'is told how to get it' 'prof:false' "$tmp/err"
stop

sleep 60 &
pid=$!
runs 2 'a process on another allocator' jeprof "$pid"
matches 'is told how to get on liballoc' 'LD_PRELOAD=liballoc.so' "$tmp/err"
kill -KILL $pid
