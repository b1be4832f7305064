#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What we write is read by others with the same totals, and what others read
# in a dump is what we read.
. "$top_srcdir/tests/tap/tap.sh"
convert=$top_builddir/tests/unit/profile/convert
perl_jeprof=/usr/bin/jeprof

# perl_total TYPE FILE [PROGRAM]
perl_total() {
	what=$1 file=$2
	shift 2
	"$perl_jeprof" --text --show_bytes "--$what" "$@" "$file" \
		2>/dev/null </dev/null |
		sed -n 's/^Total: \([0-9]*\) .*/\1/p'
}

our_total() {
	"$convert" totals "$2" | sed -n "s/^$1 //p"
}

# agree DESCRIPTION A B: Perl jeprof cuts where we round, we round each of
# five stacks.
agree() {
	[ -n "$2" ] && [ "$2" -ge $(($3 - 1)) ] && [ "$2" -le $(($3 + 2)) ]
	result $? "$1" || echo "# $2 and $3"
}

has_perl_jeprof() {
	head -n 1 "$perl_jeprof" 2>/dev/null | grep -q perl
}

plan 24

for type in inuse_space inuse_objects alloc_space alloc_objects; do
	if ! has_perl_jeprof; then
		skip "Perl jeprof: $type" 'Perl jeprof is not installed'
		skip "Perl jeprof on --raw: $type" 'it is not installed'
		continue
	fi
	"$convert" raw "$data/good-jemalloc.heap" >"$tmp/raw"
	want=$(our_total $type "$data/good-jemalloc.heap")
	agree "Perl jeprof reads the same dump: $type" \
		"$(perl_total $type "$data/good-jemalloc.heap" /bin/true)" "$want"
	agree "and what we write of it: $type" \
		"$(perl_total $type "$tmp/raw")" "$want"
done

for name in jemalloc liballoc heapprofile growth; do
	file=$data/good-$name.heap
	"$convert" raw "$file" >"$tmp/raw"
	"$convert" totals "$file" >"$tmp/want"
	ok "raw of $name is read back" "$convert" totals "$tmp/raw"
	same 'with the same totals' "$tmp/want" "$tmp/out"
	"$convert" pprof "$file" >"$tmp/pb"
	if command -v python3 >/dev/null; then
		ok "pprof of $name is sound" \
			python3 "$top_srcdir/tests/unit/profile/decode_pprof.py" \
			"$tmp/pb"
		grep -v build_id "$tmp/out" | awk '
			NR == FNR { want[$1] = $2; next }
			{ d = want[$1] - $2; n++ }
			d > 3 || d < -3 { bad = 1 }
			END { exit bad || n != 4 }' "$tmp/want" -
		result $? 'with the same totals, each value rounded'
	else
		skip "pprof of $name is sound" 'python3 is not installed'
		skip 'with the same totals' 'python3 is not installed'
	fi
done
