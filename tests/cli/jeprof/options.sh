#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Perl jeprof's habits of naming options and files.
. "$top_srcdir/tests/tap/tap.sh"

cd "$data" || exit 99
jeprof good-shop.raw >"$tmp/want"
jeprof --inuse_objects good-shop.raw >"$tmp/objects"

# like FILE OPTION...
like() {
	want=$1
	shift
	jeprof "$@" >"$tmp/got" 2>&1 </dev/null
	same "jeprof $*" "$want" "$tmp/got"
}

plan 21
like "$tmp/want" --text good-shop.raw
like "$tmp/want" -text good-shop.raw
like "$tmp/want" --TEXT good-shop.raw
like "$tmp/want" good-shop.raw --text
like "$tmp/want" --svg --text good-shop.raw
like "$tmp/want" --nocum good-shop.raw
like "$tmp/objects" --inuse_obj good-shop.raw
like "$tmp/objects" -inuse_objects good-shop.raw
like "$tmp/want" --lib_prefix=/nowhere,/else good-shop.raw
like "$tmp/want" --debug-syms-by-id --tools=/opt/bin good-shop.raw

# The program of Perl jeprof's command line, told by its content.
like "$tmp/want" "$top_builddir/jeprof/jeprof" good-shop.raw
printf '#!/bin/sh\n' >"$tmp/script"
chmod +x "$tmp/script"
like "$tmp/want" "$tmp/script" good-shop.raw

jeprof - <good-shop.raw >"$tmp/got"
grep -v '^Type' "$tmp/want" >"$tmp/want.rest"
grep -v '^Type' "$tmp/got" >"$tmp/got.rest"
same 'standard input' "$tmp/want.rest" "$tmp/got.rest"

ok '-o writes a file' jeprof -o "$tmp/file" good-shop.raw
same '  with the same content' "$tmp/want" "$tmp/file"
ok '--output tells the type by its ending' \
	jeprof --output="$tmp/x.json" good-shop.raw
matches '  which is JSON' '^\{' "$tmp/x.json"
jeprof good-shop.raw >"$tmp/again"
same 'twice the same' "$tmp/want" "$tmp/again"

# Names that the file brings are cut like those that are looked up.
ok 'without inlined functions' jeprof --noinlines "$data/good-shop.raw"
matches 'the function that is real has it' ' 23\.1 MiB +1\.90 MiB .* shop::Session::load' "$tmp/out"
lacks 'and what was inlined there is not named' '_M_realloc_insert' "$tmp/out"
