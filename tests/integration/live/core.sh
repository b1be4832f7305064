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
plan 35
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
matches '  is to be named' 'name a dump, a core file by its path' \
	"$tmp/err"


# packed NAME COMMAND...: the core file as the command packs it, from and to a
# pipe, as $tmp/NAME.
packed() {
	name=$1
	shift
	command -v "$1" >"$tmp/which" || {
		skip "a core file packed by $1" 'it is not installed'
		skip '  is told so where it is cut' 'as above'
		skip '  by its format' 'as above'
		skip '  a program so packed is refused' 'as above'
		return
	}
	"$@" <"$tmp/core" >"$tmp/$name"
	agrees_with "$tmp/$name" "a core file packed by $1"
	size=$(wc -c <"$tmp/$name")
	head -c $((size / 2)) "$tmp/$name" >"$tmp/cut.$name"
	runs 2 '  is told so where it is cut' jeprof "$tmp/cut.$name"
	matches '  by its format' \
		"^jeprof: .*cut.*: the $format data end too early" "$tmp/err"
	"$@" <"$(command -v sleep)" >"$tmp/program.$name"
	runs 2 '  a program so packed is refused' jeprof "$tmp/program.$name"
}

format=zstd
packed core.zst zstd -q -c
format=xz
packed core.xz xz -0 -c
format=lz4
packed core.lz4 lz4 -q -c
format=gzip
packed core.gz gzip -1 -c
runs 0 'its growth since the dump' jeheapdiff "$tmp/dump" "$tmp/core.zst"

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
