#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Pictures are what they say they are.
. "$top_srcdir/tests/tap/tap.sh"

cd "$tmp" || exit 99
plan 15
ok 'SVG' jeprof --svg -o x.svg "$data/good-shop.raw"
matches '  is SVG' '<svg ' x.svg
matches '  holds full names in tooltips' \
	'xlink:title="std::vector&lt;shop::Item' x.svg
matches '  and legible names' '>shop::Tree::node<' x.svg
lacks '  and opens no element for a hostile name' '<script>alert' x.svg
matches '  can be moved about' '<script type="text/javascript">' x.svg
if command -v xmllint >/dev/null; then
	ok '  is well formed' xmllint --noout --nonet x.svg
elif command -v python3 >/dev/null; then
	ok '  is well formed' python3 -c \
		'import xml.dom.minidom as m; m.parse("x.svg")'
else
	skip '  is well formed' 'neither xmllint nor python3'
fi
ok 'PNG' jeprof --png -o x.png "$data/good-shop.raw"
[ "$(od -An -tx1 -N8 x.png | tr -d ' ')" = 89504e470d0a1a0a ]
result $? '  is PNG'
ok 'PDF' jeprof --pdf -o x.pdf "$data/good-shop.raw"
matches '  is PDF' '^%PDF-' x.pdf
ok 'PostScript' jeprof --ps -o x.ps "$data/good-shop.raw"
matches '  is PostScript' '^%!PS' x.ps

# width FILE: of an SVG, in points.
width() {
	sed -n 's/.*<svg width="\([0-9]*\)pt".*/\1/p' "$1"
}
jeprof --svg --scale=2 -o big.svg "$data/good-shop.raw"
[ "$(width big.svg)" -gt $(($(width x.svg) * 3 / 2)) ]
result $? '--scale=2 doubles a picture'
jeprof --svg --focus=nothing_like_this "$data/good-shop.raw" >none.svg
matches 'a selection of nothing is a picture of the legend' 'Selected' none.svg
