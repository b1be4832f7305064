#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# jeprof of a core file: what it has agrees to the last bit with the dump that
# the process wrote at the same quiet moment; what is cut off or not on liballoc
# ends in one line.
. "$top_srcdir/tests/tap/tap.sh"
. "$top_srcdir/tests/integration/live/subject.sh"

here=$top_builddir/tests/integration/live
command -v gcore >"$tmp/which" || skip_all 'gcore (of gdb) is not installed'

# What may differ is when and where it was read; a core file has only the
# beginning of a command line.
facts() {
	jeprof --json --nodecount=0 "$@" |
		grep -vE '^ *"(source|time_ns|command)":'
}

# agrees DESCRIPTION OPTION...
agrees() {
	agrees_with "$tmp/core" "$@"
}

# take: the core file of the process, as $tmp/core.
take() {
	gcore -o "$tmp/core" "$pid" >"$tmp/gcore" 2>&1 &&
		mv "$tmp/core.$pid" "$tmp/core"
}

preloaded=$liballoc
start lg_prof_sample:13,prof_accum:true "$here/subject" "$tmp/dump"
take || {
	stop
	skip_all 'gcore may not look at processes here'
}
plan 18
agrees 'in use, as in the dump'
agrees 'allocated too' --alloc_space
agrees 'with lifetimes' --lifetimes --alloc_objects
jeprof --peak "$pid" >"$tmp/wanted"
stop
runs 0 'the process has ended' jeprof --peak "$tmp/core"
same 'and its peak can be told' "$tmp/wanted" "$tmp/out"
runs 0 'it is subtracted from itself' jeprof --base="$tmp/core" "$tmp/core"
matches '  which is nothing' '^Total difference: 0 B' "$tmp/out"
runs 0 'its growth since the dump' jeheapdiff "$tmp/dump" "$tmp/core"
matches '  is none, in one process' 'the same process' "$tmp/out"
head -c 100000 "$tmp/core" >"$tmp/cut"
runs 2 'a core file that is cut off' jeprof "$tmp/cut"
matches '  is told so' '^jeprof: core file .*cut.* is cut off' "$tmp/err"
runs 2 'one from a pipe' sh -c "cat '$tmp/core' | jeprof -"
matches '  is to be named' 'name a dump, a core file as it was written' \
	"$tmp/err"

preloaded=
start '' "$here/subject_static" "$tmp/dump"
take
agrees 'of a static program'
stop
sleep 100 &
pid=$!
take
runs 2 'a program on another allocator' jeprof "$tmp/core"
matches '  is none of ours' '\(sleep\) is not of a program on liballoc' \
	"$tmp/err"
kill "$pid"
runs 2 'the program in place of its core file' jeprof "$(command -v sleep)"
matches '  is a program' 'is a program: name a profile' "$tmp/err"
