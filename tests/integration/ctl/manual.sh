#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# liballoc(3) lists the controls, the options and those without effect that
# the code has: no more, no fewer, of the same types.
. "$top_srcdir/tests/tap/tap.sh"

page=$top_srcdir/man/liballoc.3
list=$top_builddir/tests/unit/ctl/list

plan 7

ok 'the tables can be listed' "$list"
grep '^control ' "$tmp/out" | cut -d ' ' -f 2- | sort >"$tmp/controls"
grep '^ignored ' "$tmp/out" | cut -d ' ' -f 2- | sort >"$tmp/ignored"

sed -n 's/^\.It Va \([^ ]*\) Pq Vt \(.*\) \([-r\\]*[-w]*\)$/\1 (\2) \3/p' \
	"$page" | tr -d '\\' | sort >"$tmp/in-page"
same 'the page has the controls, with type and access' \
	"$tmp/controls" "$tmp/in-page"

# "key : Ns Li a Ns \&| Ns Li b" becomes "key a|b".
sed -n '/^\.Ss Options of jemalloc that have no effect/,/^\.Sh/s/^\.It Cm //p' \
	"$page" | sed 's/ : Ns Li / /; s/ Ns \\&| Ns Li /|/g; / /!s/$/ /' |
	sort >"$tmp/in-page"
same 'the page has the options without effect, with their values' \
	"$tmp/ignored" "$tmp/in-page"

awk '{ print $1 }' "$tmp/controls" | sort | uniq -d >"$tmp/twice"
same 'no control is there twice' /dev/null "$tmp/twice"

# Each name that jemalloc has is either a control here, or listed as not there
# with the reason.
sed -n '/^\.Ss Names of jemalloc that are not there/,/^\.Sh/s/^\.It Li //p' \
	"$page" | sed 's/ , /\n/g' |
	sed 's/\./\\./g; s/\*/.*/; s/^/^/; s/$/$/' >"$tmp/absent"
cut -d ' ' -f 1 "$tmp/controls" >"$tmp/names"
grep -vxFf "$tmp/names" "$top_srcdir/tests/integration/ctl/jemalloc_names" |
	grep -vf "$tmp/absent" >"$tmp/unaccounted"
same 'each name of jemalloc is there, or said not to be' /dev/null \
	"$tmp/unaccounted"
grep -f "$tmp/absent" "$tmp/names" >"$tmp/both"
same 'and none that is there is said not to be' /dev/null "$tmp/both"

if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$page" >"$tmp/lint" 2>&1
	same 'mandoc finds nothing to warn of' /dev/null "$tmp/lint"
else
	skip 'mandoc finds nothing to warn of' 'mandoc is not installed'
fi
