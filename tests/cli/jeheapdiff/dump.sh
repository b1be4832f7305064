# SPDX-License-Identifier: BSD-2-Clause
# Writes heap_v2 dumps about the programs subject_old and subject_new; sourced
# by the tests of jeheapdiff. No program runs: addresses come from nm.

# The address of a function of $program, at $base, and a little into it.
address_in() {
	printf '%#x' $((base + 0x$(nm "$program" |
		sed -n "s/^\\([0-9a-f]*\\) [Tt] $1\$/\\1/p") + 8))
}

# Set $program, $base, $pid, $seconds (the time of the dump) and $lg_period.
# Takes records on stdin, "SIZE IN ALLOCATED LEAF CALLER ...": sampled objects
# of one size on one stack, in use and in all.
write_dump() {
	echo "heap_v2/$((1 << lg_period))"
	echo "  t*: 0: 0 [0: 0]"
	echo "# pid $pid"
	echo "# start_time_ns 1000000000"
	echo "# time_ns $((seconds * 1000000000))"
	echo "# lg_sample $lg_period"
	echo "# exact_sizes 1"
	build_id=$(readelf -n "$program" | sed -n 's/.*Build ID: //p')
	text=$(printf '%x-%x' "$base" $((base + 0x10000)))
	echo "# build_id $text $build_id"
	while read -r size in allocated stack; do
		frames=
		for name in $stack; do
			frames="$frames $(address_in "$name")"
		done
		counts="$in: $((in * size)) [$allocated: $((allocated * size))]"
		echo "@$frames"
		echo "  t*: $counts"
		echo "  t0: $counts"
		echo "# t0: $size $in $((in * size)) $allocated $((allocated * size))"
	done
	printf '\nMAPPED_LIBRARIES:\n'
	echo "$text r-xp 00000000 fd:01 12 $program"
}
