# SPDX-License-Identifier: BSD-2-Clause
# jeprof's totals against the truth, for a program whose live bytes are known:
# small, middling and large objects, at several rates, over more than a hundred
# seeds. The seeds are fixed, so the outcome is the same each time.
. "$top_srcdir/tests/tap/tap.sh"

seeds=30
seed=0
known_live=$top_builddir/tests/integration/accuracy/known_live

# total TYPE: the value and the standard error of a sample type.
total() {
	jeprof --json "--$1" "$tmp/heap" | awk '
		/"total"/ { inside = 1 }
		inside && /"value"/ { gsub(/[^0-9.e+-]/, "", $2); v = $2 }
		inside && /"standard_error"/ {
			gsub(/[^0-9.e+-]/, "", $2); print v, $2; exit
		}'
}

judge() {
	awk -v least="$1" \
		-f "$top_srcdir/tests/integration/accuracy/accuracy.awk" \
		"$2" >"$tmp/verdict"
	result $? "$3" || diag_file "$2"
	sed 's/^/# /' "$tmp/verdict"
}

# holds COUNT SIZE LG_SAMPLE: what is in use, of one seed in objects, of the next
# in bytes; "truth estimate error" a line.
holds() {
	: >"$tmp/objects"
	: >"$tmp/bytes"
	last=$((seed + seeds))
	while [ $((seed += 1)) -le $last ]; do
		truth=$(MALLOC_CONF=prof_seed:$seed,lg_prof_sample:$3 \
			"$known_live" "$1" "$2" "$tmp/heap") || break
		if [ $((seed % 2)) -eq 0 ]; then
			echo "${truth% *} $(total inuse_objects)" >>"$tmp/objects"
		else
			echo "${truth#* } $(total inuse_space)" >>"$tmp/bytes"
		fi
	done
	cat "$tmp/objects" "$tmp/bytes" >>"$tmp/all"
	judge 0.9 "$tmp/objects" "$1 objects of $2 bytes at 2^$3: objects"
	judge 0.9 "$tmp/bytes" "$1 objects of $2 bytes at 2^$3: bytes"
}

plan 13
holds 20000 24 10
holds 20000 100 12
holds 3000 4000 14
holds 600 50000 16
holds 200 300000 19
holds 60 2000000 19
judge 0.985 "$tmp/all" 'all together lie within 3 standard errors'
