#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The stacks in dumps are those that libgcc's unwinder sees, frame by frame:
# gcc and clang, optimized or not, with and without frame pointers; through
# qsort, signal handlers, exceptions, alloca, coroutines, dlopened libraries.
. "$top_srcdir/tests/tap/tap.sh"
src=$top_srcdir/tests/integration/prof

# build CC CXX FLAGS...: makes $tmp/stacks and $tmp/library.so.
build() {
	cc=$1 cxx=$2
	shift 2
	$cc -g "$@" -fPIC -shared "$src/library.c" -o "$tmp/library.so" &&
		$cc -g "$@" -fexceptions -c "$src/stacks.c" -o "$tmp/stacks.o" &&
		$cxx -g "$@" -c "$src/throw.cc" -o "$tmp/throw.o" &&
		$cxx "$@" "$tmp/stacks.o" "$tmp/throw.o" -o "$tmp/stacks" \
			-lpthread -ldl
}

# Each expected stack is in the dump under a leaf within probe(), and no
# other: compare the sets of what lies above probe().
compare() {
	grep '^E ' "$tmp/log" | cut -d' ' -f2- | sort -u >"$tmp/want"
	read -r _ low high <<-EOF
		$(grep '^P ' "$tmp/log")
	EOF
	grep '^@ ' "$tmp/dump" | while read -r _ leaf rest; do
		[ $((leaf)) -gt $((low)) ] && [ $((leaf)) -le $((high)) ] &&
			echo "$rest"
	done | sort -u >"$tmp/got"
	[ -s "$tmp/want" ] && diff -u "$tmp/want" "$tmp/got"
}

check_stacks() {
	MALLOC_CONF=lg_prof_sample:0 LD_PRELOAD=$liballoc "$tmp/stacks" \
		"$tmp/library.so" "$tmp/dump" >"$tmp/log" && compare
}

variants='-O0
-O2
-O2 -fno-omit-frame-pointer
-Os -fomit-frame-pointer
-O2 -static-libgcc -no-pie
-O2 -Wl,-z,max-page-size=0x200000'
# How often each place of deep() and run(), at addresses that stay, is in the
# stacks.
own_stacks() {
	MALLOC_CONF=lg_prof_sample:0,$1 LD_PRELOAD=$liballoc "$tmp/framed" \
		"$tmp/dump" || return
	sed -n 's/^@ //p' "$tmp/dump" | tr ' ' '\n' | sort | uniq -c |
		while read -r count place; do
			[ $((place)) -gt $((low)) ] &&
				[ $((place)) -le $((high)) ] &&
				echo "$count $place"
		done >"$2"
	[ -s "$2" ]
}

# Deep in a program that keeps frame pointers both ways lead to the same.
check_framed() {
	gcc -O2 -fno-omit-frame-pointer -fno-optimize-sibling-calls -no-pie \
		"$src/framed.c" -o "$tmp/framed" &&
		set -- $(nm -S "$tmp/framed" |
			awk '$4 == "deep" || $4 == "run" { print "0x" $1, "0x" $2 }') &&
		low=$1 && high=$(($3 + $4)) &&
		[ $((low)) -lt $((high)) ] &&
		own_stacks prof_frame_pointers:false "$tmp/by-tables" &&
		own_stacks prof_frame_pointers:true "$tmp/by-pointers" &&
		[ "$(awk '{ n += $1 } END { print n }' "$tmp/by-tables")" -gt 40 ] &&
		diff -u "$tmp/by-tables" "$tmp/by-pointers"
}

plan 13
ok 'frame pointers lead where the tables do' check_framed
for compilers in 'gcc g++' 'clang clang++'; do
	cc=${compilers% *} cxx=${compilers#* }
	echo "$variants" >"$tmp/variants"
	while read -r flags; do
		name="stacks are libgcc's: $cc $flags"
		if ! command -v "$cc" >/dev/null; then
			skip "$name" "no $cc"
		elif ! build "$cc" "$cxx" $flags 2>"$tmp/err"; then
			result 1 "$name"
			diag_file "$tmp/err"
		else
			rm -f "$tmp/dump"
			ok "$name" check_stacks
		fi
	done <"$tmp/variants"
done
