#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# --help and the man page name the same options, and its examples run.
. "$top_srcdir/tests/tap/tap.sh"

man=$top_srcdir/man/jeprof.1
plan 8
ok '--help' jeprof --help
cp "$tmp/out" "$tmp/help"
ok '-h' jeprof -h
same '  is the same' "$tmp/help" "$tmp/out"
ok '--version' jeprof --version
matches '  names program and version' '^jeprof \(jeheap\) [0-9]+\.[0-9]' \
	"$tmp/out"

grep -oE -- '--[a-z][a-z_-]+' "$tmp/help" | sort -u >"$tmp/in-help"
# In the man page, an option stands in the line after .TP.
sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$man" | sed 's/\\-/-/g' |
	awk 'tag { print } { tag = /^\.TP/ }' | grep -oE -- '--[a-z][a-z_-]+' | sort -u \
	>"$tmp/in-man"
same 'help and man page name the same options' "$tmp/in-help" "$tmp/in-man"

# Its examples, with a profile of ours by the names they use.
mkdir "$tmp/play"
cd "$tmp/play" || exit 99
cp "$data/good-shop.raw" server.heap
cp "$data/good-shop.raw" monday.heap
cp "$data/good-shop-later.raw" friday.heap
sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$man" | sed 's/\\-/-/g' |
	sed -n 's/^\(jeprof .*\)$/\1/p' | grep -v pidof >"$tmp/examples"
[ "$(wc -l <"$tmp/examples")" -ge 5 ]
result $? 'the man page has examples'
ok 'they run' sh -e "$tmp/examples"
