#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# C++ on liballoc: preloaded, linked, linked statically, by gcc and clang, with
# operators of the program's own, in a library opened late.
. "$top_srcdir/tests/tap/tap.sh"
here=$top_srcdir/tests/integration/cplusplus
archive=${liballoc%.so}.a
plan 21

cxx() {
	compiler=$1
	shift
	$compiler -std=c++17 -fsized-deallocation -O0 -g -I"$top_srcdir/tests" "$@"
}

# A static library as make install leaves it.
cp "$archive" "$tmp/liballoc.a" &&
	"$top_srcdir/build-aux/hide-internals" "$tmp/liballoc.a" || exit 99

ok 'the program of all forms builds' \
	cxx "$CXX" -o "$tmp/operators" "$here/operators.cc"
ok 'preloaded' env LD_PRELOAD="$liballoc" "$tmp/operators" ||
	diag_file "$tmp/out"
ok 'preloaded, without a thread cache' env MALLOC_CONF=tcache:false \
	LD_PRELOAD="$liballoc" "$tmp/operators" || diag_file "$tmp/out"
ok 'preloaded, each object sampled' env MALLOC_CONF=lg_prof_sample:0 \
	LD_PRELOAD="$liballoc" "$tmp/operators" || diag_file "$tmp/out"
ok 'linked, it builds' cxx "$CXX" -o "$tmp/linked" "$here/operators.cc" \
	"$liballoc" -Wl,-rpath,"$(dirname "$liballoc")"
ok 'and runs' "$tmp/linked" || diag_file "$tmp/out"
for kind in '-Wl,--as-needed' -static -static-pie; do
	what="with the static library, $kind,"
	if cxx "$CXX" $kind -o "$tmp/static" "$here/operators.cc" \
		"$tmp/liballoc.a" 2>"$tmp/err"; then
		ok "$what" "$tmp/static" || diag_file "$tmp/out"
	else
		skip "$what" 'it does not link'
	fi
done

ok 'a program with operators of its own builds' \
	cxx "$CXX" -o "$tmp/replaced" "$here/replaced.cc"
ok 'they are called, preloaded' env LD_PRELOAD="$liballoc" "$tmp/replaced" ||
	diag_file "$tmp/out"
ok 'with the static library it builds' cxx "$CXX" -o "$tmp/replaced" \
	"$here/replaced.cc" "$tmp/liballoc.a"
ok 'and they are called' "$tmp/replaced" || diag_file "$tmp/out"

ok 'a C program, and a C++ library for it' sh -c "
	$CC -o '$tmp/host' '$here/host.c' -ldl &&
	$CXX -std=c++17 -shared -fPIC -o '$tmp/plugin.so' '$here/plugin.cc'"
ok 'which may open it and its runtime privately' \
	env LD_PRELOAD="$liballoc" "$tmp/host" "$tmp/plugin.so"

if command -v clang++ >"$tmp/which" &&
	cxx clang++ -o "$tmp/clang" "$here/operators.cc" 2>"$tmp/err"; then
	ok 'by clang' env LD_PRELOAD="$liballoc" "$tmp/clang"
else
	skip 'by clang' 'no clang++'
fi
if cxx clang++ -stdlib=libc++ -o "$tmp/libc++" "$here/operators.cc" \
	2>"$tmp/err"; then
	ok 'on libc++' env LD_PRELOAD="$liballoc" "$tmp/libc++"
else
	skip 'on libc++' 'no libc++ to build with'
fi

cat >"$tmp/fails.cc" <<'EOT'
#include <new>
int main()
{
	try {
		::operator new(static_cast<unsigned long>(1) << 46);
	} catch (...) {
	}
	return 0;
}
EOT
ok 'a program that asks for too much builds' \
	cxx "$CXX" -o "$tmp/fails" "$tmp/fails.cc"
ok 'experimental_infallible_new ends it' sh -c "
	MALLOC_CONF=experimental_infallible_new:true \
		LD_PRELOAD='$liballoc' '$tmp/fails' 2>&1 |
	grep 'Allocation of size 70368744177664 failed'"

# leaf FRAMES: all eight stacks of the dump have their leaf in calls_new.
leaves() {
	nm -S "$1" | awk '/calls_new/ { print $1, $2 }' >"$tmp/range"
	awk -v range="$(cat "$tmp/range")" '
	function number(hex,    i, value) {
		for (i = 1; i <= length(hex); i++)
			value = value * 16 + index("0123456789abcdef",
				substr(hex, i, 1)) - 1
		return value
	}
	/^@/ {
		split(range, r, " ")
		leaf = number(substr($2, 3)) % 4096
		low = number(r[1]) % 4096
		inside = (leaf - low + 4096) % 4096 <= number(r[2])
		good += inside; bad += !inside
	}
	END { exit !(good >= 8 && bad == 0) }' "$2"
}

cxx "$CXX" -o "$tmp/leaf" "$here/leaf.cc" &&
	env LD_PRELOAD="$liballoc" "$tmp/leaf" >/dev/null
MALLOC_CONF="lg_prof_sample:0,prof_final:true,prof_prefix:$tmp/shared" \
	LD_PRELOAD="$liballoc" "$tmp/leaf"
awk '/^@/ { keep = $0; next } /t\*: 1: 10[0-9]* \[|t\*: 1: 1[0-9]{5} \[/ {
	print keep }' "$tmp"/shared.* >"$tmp/stacks"
ok 'the caller of new is the leaf' leaves "$tmp/leaf" "$tmp/stacks" ||
	diag_file "$tmp/stacks"
cxx "$CXX" -static -Wl,--eh-frame-hdr -o "$tmp/leaf" "$here/leaf.cc" \
	"$tmp/liballoc.a" 2>"$tmp/err" &&
	MALLOC_CONF="lg_prof_sample:0,prof_final:true,prof_prefix:$tmp/static" \
		"$tmp/leaf"
awk '/^@/ { keep = $0; next } /t\*: 1: 10[0-9]* \[|t\*: 1: 1[0-9]{5} \[/ {
	print keep }' "$tmp"/static.* >"$tmp/stacks"
ok 'in a static program too' leaves "$tmp/leaf" "$tmp/stacks" ||
	diag_file "$tmp/stacks"
