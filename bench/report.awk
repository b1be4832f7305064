# SPDX-License-Identifier: BSD-2-Clause
# Tables in markdown of lines "program allocator seconds MiB": medians; ratios
# to the best peer on each program, with what is behind in bold; and geometric
# means. Peers are glibc, jemalloc, mimalloc and tcmalloc, whichever of them
# are there; bold is more than 10 % behind in time, or 15 % in memory.
BEGIN {
	count = split(allocators, names)
	peers = " glibc jemalloc mimalloc tcmalloc "
}

!seen[$1]++ { order[++rows] = $1 }

{
	time[$1, $2] = $3
	memory[$1, $2] = $4
}

function line(label, values,    i) {
	printf "| %-13s |", label
	for (i = 1; i <= count; i++)
		printf " %15s |", values[i]
	printf "\n"
}

function head(label,    i) {
	line(label, names)
	for (i = 1; i <= count; i++)
		cells[i] = "---:"
	line("---", cells)
}

# The least of the peers, or of all where there is no peer.
function best(figures, row,    i, least, any) {
	for (i = 1; i <= count; i++) {
		if (!index(peers, " " names[i] " "))
			continue
		if (!any++ || figures[row, names[i]] < least)
			least = figures[row, names[i]]
	}
	return any ? least : figures[row, names[1]]
}

function ratio(figures, row, name, limit,    unit, text) {
	unit = best(figures, row)
	unit = unit ? figures[row, name] / unit : 1
	text = sprintf("%.2f", unit)
	return unit > limit ? "**" text "**" : text
}

function means(label, figures,    i, r, sum, unit) {
	for (i = 1; i <= count; i++) {
		sum = 0
		for (r = 1; r <= rows; r++) {
			unit = best(figures, order[r])
			if (unit && figures[order[r], names[i]])
				sum += log(figures[order[r], names[i]] / unit)
		}
		cells[i] = sprintf("%.3f", exp(sum / rows))
	}
	line(label, cells)
}

END {
	if (!rows)
		exit
	head("s / MiB")
	for (r = 1; r <= rows; r++) {
		for (i = 1; i <= count; i++)
			cells[i] = sprintf("%.2f / %.1f",
				time[order[r], names[i]],
				memory[order[r], names[i]])
		line(order[r], cells)
	}
	print "\nRatios to the best peer on each program, time / memory:\n"
	head("")
	for (r = 1; r <= rows; r++) {
		for (i = 1; i <= count; i++)
			cells[i] = ratio(time, order[r], names[i], 1.10) " / " \
				ratio(memory, order[r], names[i], 1.15)
		line(order[r], cells)
	}
	means("mean of time", time)
	means("mean of RSS", memory)
}
