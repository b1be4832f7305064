#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The flame graph is one file that fetches nothing, and no name gets out of
# its script element. What it shows is tested in a browser, where there is one.
. "$top_srcdir/tests/tap/tap.sh"

page=$tmp/page.html
plan 20
ok 'a page is written' jeprof --flame -o "$page" "$data/good-shop.raw"
lacks 'it names no other place' '(src|href)=|@import|url\(|https?:' "$page"
lacks 'a name opens no element' '<script>alert' "$page"
matches 'it stands escaped' 'u003cscript\\u003ealert' "$page"
is_closed=$(grep -c '</script>' "$page")
[ "$is_closed" -eq 2 ]
result $? 'two script elements are closed'

browser=$(command -v chromium || command -v chromium-browser ||
	command -v google-chrome) || browser=

# look DESCRIPTION REGEX FRAGMENT: what the page holds when it has run.
look() {
	if [ -z "$browser" ]; then
		skip "$1" 'no browser here'
		return
	fi
	mkdir -p "$tmp/browser"
	HOME=$tmp/browser timeout 120 "$browser" --headless --no-sandbox \
		--disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update \
		--disable-sync --user-data-dir="$tmp/browser" \
		--virtual-time-budget=3000 --dump-dom "file://$page#$3" \
		>"$tmp/dom" 2>"$tmp/browser.log"
	matches "$1" "$2" "$tmp/dom"
}

look 'it says the total' '54\.3 MiB ± 3\.61 MiB</b> in total' ''
look 'a search says its share' \
	'matched <b>14\.5 MiB \(26\.8%\)</b> ± 2\.18 MiB' 'search=Tree'
look 'so does it among callers' \
	'matched <b>43\.0 MiB \(79\.2%\)</b>' 'search=^shop::Server&view=inverted'
look 'what is no expression is searched as it is' \
	'id="search" type="search"[^>]*class="bad"|class="bad"' 'search=('
look 'the table has amounts and errors' \
	'<span>23\.1 MiB</span><span class="error">1\.90 MiB</span><span>42\.6%' \
	'view=table'
look 'a hostile name is text there' '&lt;script&gt;alert\(1\)' 'view=table'
look 'another type can be chosen' '<b>505 ± 148</b>' 'type=alloc_objects'

# keys DESCRIPTION REGEX KEY...: what the page holds after these keys.
cp "$page" "$tmp/plain.html"
keys() {
	what=$1 regex=$2
	shift 2
	{
		cat "$tmp/plain.html"
		echo '<script>var canvas = document.getElementById("canvas");'
		for key; do
			echo "canvas.dispatchEvent(new KeyboardEvent('keydown', {
				key: '$key', bubbles: true}));"
		done
		echo '</script>'
	} >"$page"
	look "$what" "$regex" ''
}

keys 'arrow keys go from frame to frame' \
	'id="status"[^>]*>shop::Server::run\(int\): total 43\.0 MiB' \
	ArrowDown ArrowDown
keys 'to the side, too' 'id="status"[^>]*>shop::Cache::fill\(\): total 10\.8' \
	ArrowDown ArrowDown ArrowRight
keys 'Enter zooms in' '<button id="up"[^>]*frame \(Backspace\)">Up' \
	ArrowDown ArrowDown Enter
keys 'Escape resets' '<button id="up"[^>]*disabled="">Up' \
	ArrowDown ArrowDown Enter Escape
keys 'i shows callers' 'id="show-inverted" aria-pressed="true"' i
keys 't shows the table' '<span class="text" title="main">main</span>' t

jeprof --flame -o "$page" --base="$data/good-shop.raw" \
	"$data/good-shop-later.raw"
look 'a difference is signed' '\+10\.3 MiB ± 5\.36 MiB</b> net change' ''
look 'in its table, too' '<span>−4\.26 MiB</span>' 'view=table'
