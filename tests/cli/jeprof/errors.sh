#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What goes wrong ends with status 2, one line on stderr, nothing on stdout
# and no file left behind.
. "$top_srcdir/tests/tap/tap.sh"

# refuses REGEX OPTION...
refuses() {
	regex=$1
	shift
	runs 2 "jeprof $* is refused" jeprof "$@"
	[ "$(wc -l <"$tmp/err")" -eq 1 ] && [ ! -s "$tmp/out" ]
	result $? '  with one line, and no output' || diag_file "$tmp/err"
	matches '  that says why' "^jeprof: .*$regex" "$tmp/err"
}

good=$data/good-shop.raw
mkdir "$tmp/in" "$tmp/locked"
: >"$tmp/in/empty"
head -c 100000 /dev/urandom >"$tmp/in/noise"
printf 'heap_v2/524288\n  t*: 1: 2 [0: 0]\n@ 0x12\n  t*: 1' >"$tmp/in/cut"
cp "$good" "$tmp/in/cannot-read"
chmod 0 "$tmp/in/cannot-read"
bad=$(echo "$data"/bad-*)
# shellcheck disable=SC2086
set -- $bad

plan $((3 * (33 + $#) + 25))
for file; do
	refuses "${file##*/}" "$file"
done
refuses 'no profile named'
refuses 'nowhere.heap.*No such file' "$tmp/nowhere.heap"
refuses 'in/empty' "$tmp/in/empty"
refuses 'in/noise' "$tmp/in/noise"
refuses 'in/cut' "$tmp/in/cut"
refuses 'in.*irectory' "$tmp/in"
refuses 'nowhere' --base="$tmp/nowhere.heap" "$good"
refuses 'nowhere' "$good" "$tmp/nowhere.heap"
refuses 'is a program: name a profile' "$(command -v jeprof)"
for type in text svg collapsed flame pprof raw json; do
	refuses "cannot write /dev/full: No space left on device\$" \
		"--$type" -o /dev/full "$good"
done
refuses 'missing/x.svg' -o "$tmp/missing/x.svg" "$good"
refuses '99999999' 99999999
refuses 'liballoc' $$
refuses 'frobnicate' --frobnicate "$good"
refuses 'nodecount' --nodecount=many "$good"
refuses 'nodefraction' --nodefraction=7 "$good"
refuses 'scale' --scale=nan "$good"
refuses 'focus|expression|regular' --focus='(' "$good"
refuses 'no thread 7; it has: 0 \(shop\), 1 \(worker\)' --thread=7 "$good"
refuses 'thread' --thread=x "$good"
refuses 'thread' --svg '--thread=*' "$good"
refuses 'not in this version' --web "$good"
refuses 'not in this version' --list=main "$good"
refuses 'URLs are not in this version' http://localhost/pprof/heap
refuses 'is no process.* prof.dump_peak' --peak "$good"
refuses 'leave out --alloc_space' --peak --alloc_space $$
refuses 'no negative cost' --callgrind --base "$data/good-shop-later.raw" \
	"$good"

# script(1) runs a command on a terminal of its own; a container may have none.
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	script -qec "jeprof --png '$good'; echo status \$?" /dev/null \
		>"$tmp/typed" </dev/null
	matches 'a picture is not written to a terminal' \
		'standard output is a terminal: name a file' "$tmp/typed"
	matches '  which is an error' 'status 2' "$tmp/typed"
else
	skip 'a picture is not written to a terminal' 'no script(1), or no terminals'
	skip '  which is an error' 'no script(1), or no terminals'
fi

if [ "$(id -u)" -eq 0 ]; then
	skip 'an unreadable file is refused' 'root can read anything'
	skip '  with its name' 'root can read anything'
else
	runs 2 'an unreadable file is refused' jeprof "$tmp/in/cannot-read"
	matches '  with its name' 'cannot-read.*denied' "$tmp/err"
fi

# Each output type, complete or not there at all.
for type in text svg png pdf ps dot collapsed flame pprof raw \
	callgrind json; do
	jeprof --$type -o "$tmp/locked/out" "$tmp/in/cut" 2>"$tmp/err"
	[ -z "$(ls -A "$tmp/locked")" ]
	result $? "a failed --$type leaves nothing behind"
done
jeprof --callgrind --base "$data/good-shop-later.raw" "$good" \
	-o "$tmp/locked/out" 2>"$tmp/err"
[ -z "$(ls -A "$tmp/locked")" ]
result $? 'so does a report that fails half-way'
echo precious >"$tmp/keep"
runs 2 'a failure keeps the old file' jeprof -o "$tmp/keep" "$tmp/in/cut"
matches '  as it was' precious "$tmp/keep"

{
	sleep 0.3
	jeprof --flame "$good" 2>"$tmp/err"
	echo $? >"$tmp/status"
} | true
matches 'a closed pipe is an error' '^2$' "$tmp/status"
matches '  and is told' '^jeprof: .*Broken pipe' "$tmp/err"
jeprof "$good" 2>"$tmp/err" >&-
matches 'a closed standard output is told' '^jeprof: ' "$tmp/err"

sleep 0.01 &
gone=$!
wait $gone
runs 2 'a process that is gone is an error' jeprof $gone
matches '  and is named' "$gone" "$tmp/err"
lacks '  and no crash' 'egmentation|Sanitizer' "$tmp/err"
