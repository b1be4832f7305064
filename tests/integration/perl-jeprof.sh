#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Debian's jemalloc and its Perl jeprof against ours: the same totals and
# shares from a dump of either allocator, and what we write can be read by
# Perl jeprof and by callgrind_annotate.
. "$top_srcdir/tests/tap/tap.sh"

perl_jeprof=/usr/bin/jeprof
jemalloc=$(ls /usr/lib/*/libjemalloc.so.2 2>/dev/null | head -n 1)
[ -x "$perl_jeprof" ] || skip_all 'no Perl jeprof: libjemalloc-dev'
[ -n "$jemalloc" ] || skip_all 'no libjemalloc.so.2: libjemalloc2'
command -v nm >/dev/null || skip_all 'no nm and addr2line: binutils'

cd "$tmp" || exit 99
${CXX:-c++} -g -O1 -o program \
	"$top_srcdir/tests/integration/perl-jeprof.cc" -lpthread || exit 99
conf=prof:true,prof_final:true,prof_accum:true,lg_prof_sample:12

# shares FILE COLUMN: "name share" of the functions that both must agree on.
functions='middle|recurse|hold|come_and_go|main'
perl_shares() {
	awk -v f="^($functions)\$" '$6 ~ f && NF == 6 { print $6, $5 }' "$1" |
		sort
}
our_shares() {
	jq -r '.whole.value as $w | .rows[] |
		"\(.name) \(.cum.value / $w * 1000 | round / 10)"' "$1" |
		awk -v f="^($functions)\$" '$1 ~ f {
			printf "%s %.1f%%\n", $1, $2 }' | sort
}
our_total() {
	jq '.whole.value / 1048576 * 10 | round / 10' "$1"
}

# agree NAME DUMP OPTION: totals to 0.1 MB, shares to 0.1 %.
agree() {
	"$perl_jeprof" --text "$3" ./program "$2" >perl.txt 2>perl.err
	runs 0 "$1 $3: ours reads it" jeprof --json "$3" program "$2"
	cp out ours.json
	want=$(awk '/^Total/ { print $2 }' perl.txt)
	got=$(our_total ours.json)
	awk -v a="$got" -v b="$want" \
		'BEGIN { gap = a - b; exit !(gap < 0.11 && gap > -0.11) }'
	result $? "$1 $3: totals agree" || echo "# ours $got, Perl's $want MB"
	perl_shares perl.txt >want
	our_shares ours.json >got
	[ "$(wc -l <want)" -ge 4 ] && same_shares want got
	result $? "$1 $3: shares agree" || diff want got | sed 's/^/# /'
}

# Rounding may part them by one in the last digit.
same_shares() {
	join "$1" "$2" | awk '
		{ gap = $2 - $3; if (gap < 0) gap = -gap; bad += gap > 0.11 }
		END { exit bad || NR < 4 }'
}

# The estimate of each stack is cut to whole bytes: by Perl jeprof when it
# scales, by ours when it writes. A ten-thousandth is more than that makes.
same_total() {
	awk '/^Total/ { total[FILENAME] = $2; n++ }
		END { a = total[ARGV[1]]; b = total[ARGV[2]]
			gap = a - b; if (gap < 0) gap = -gap
			exit !(n == 2 && b > 0 && gap <= b / 10000) }' \
		"$1" "$2"
}

command -v jq >/dev/null || skip_all 'no jq'
plan 18

LD_PRELOAD=$jemalloc MALLOC_CONF=$conf,prof_prefix:je ./program
LD_PRELOAD=$liballoc MALLOC_CONF=$conf,prof_prefix:ours ./program
set -- je.*.heap
je=$1
set -- ours.*.heap
ours=$1
agree "jemalloc's dump" "$je" --inuse_space
agree "jemalloc's dump" "$je" --alloc_space
agree "liballoc's dump" "$ours" --inuse_space
agree "liballoc's dump" "$ours" --alloc_space

ok 'a symbolized profile' jeprof --raw -o program.raw "$ours"
"$perl_jeprof" --text --show_bytes program.raw >raw.txt 2>raw.err
"$perl_jeprof" --text --show_bytes ./program "$ours" >perl.txt 2>perl.err
same_total raw.txt perl.txt
result $? '  has the same total for Perl jeprof' || diag_file raw.txt
matches '  and names' ' main$' raw.txt

ok 'callgrind' jeprof --callgrind -o callgrind.out "$ours"
if command -v callgrind_annotate >/dev/null; then
	ok '  is read by callgrind_annotate' \
		callgrind_annotate --auto=no callgrind.out
	matches '  which finds the function that holds most' \
		'perl-jeprof.cc:hold' out
else
	skip '  is read by callgrind_annotate' 'no callgrind_annotate'
	skip '  which finds the function that holds most' 'neither'
fi
