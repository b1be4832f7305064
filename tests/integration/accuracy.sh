# SPDX-License-Identifier: BSD-2-Clause
# jeprof's totals against the truth, for a program whose live bytes are known:
# small, middling and large objects, at several rates, over hundreds of seeds.
# The seeds are fixed, so the outcome is the same each time.
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

# holds TYPE COUNT SIZE LG_SAMPLE: "truth estimate error" a line.
holds() {
	: >"$tmp/runs"
	last=$((seed + seeds))
	while [ $((seed += 1)) -le $last ]; do
		truth=$(MALLOC_CONF=prof_seed:$seed,lg_prof_sample:$4 \
			"$known_live" "$2" "$3" "$tmp/heap") || break
		case $1 in
		*space) truth=${truth#* } ;;
		*) truth=${truth% *} ;;
		esac
		echo "$truth $(total "$1")" >>"$tmp/runs"
	done
	cat "$tmp/runs" >>"$tmp/all"
	judge 0.9 "$tmp/runs" "$2 objects of $3 bytes at 2^$4: $1"
}

plan 13
for type in inuse_space inuse_objects; do
	holds $type 20000 24 10
	holds $type 20000 100 12
	holds $type 3000 4000 14
	holds $type 600 50000 16
	holds $type 200 300000 19
	holds $type 60 2000000 19
done
judge 0.985 "$tmp/all" 'all together lie within 3 standard errors'
