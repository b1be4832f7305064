#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A dump that comes by a pipe, named or not, is read whole: nobody looks into
# it before.
. "$top_srcdir/tests/tap/tap.sh"

dump=$data/good-squares.heap
plan 4

jeprof --text "$dump" | tail -n +2 >"$tmp/want"
result $? 'a dump'

rm -f "$tmp/written"
{
	cat "$dump"
	: >"$tmp/written"
} | {
	while [ ! -e "$tmp/written" ]; do sleep 0.01; done
	jeprof --text /dev/stdin
} 2>"$tmp/err" | tail -n +2 >"$tmp/got"
same 'the same by a pipe that holds it already' "$tmp/want" "$tmp/got" ||
	diag_file "$tmp/err"

mkfifo "$tmp/named"
# Who takes it for something else first may be lucky.
read_named() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		cat "$dump" >"$tmp/named" &
		timeout 20 jeprof --text "$tmp/named" 2>"$tmp/err" |
			tail -n +2 >"$tmp/got"
		cmp -s "$tmp/want" "$tmp/got" || return 1
		wait
	done
}
read_named
result $? 'by a named pipe, 20 times' || diag_file "$tmp/err"

jeprof --text - <"$dump" 2>"$tmp/err" | tail -n +2 >"$tmp/got"
same 'by standard input' "$tmp/want" "$tmp/got"
