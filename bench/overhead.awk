# SPDX-License-Identifier: BSD-2-Clause
# Two tables in markdown, of time and of memory, of lines "program
# allocator@rate seconds MiB": the figure with profiling off, and what each
# rate adds to it in percent; and the geometric means of that.
BEGIN {
	count = split(rates, rate)
	allocators = split("liballoc jemalloc", allocator)
	format[1] = "%.2f s"
	format[2] = "%.1f MiB"
}

!seen[$1]++ { order[++rows] = $1 }

{
	figure[1, $1, $2] = $3
	figure[2, $1, $2] = $4
}

function head(label,    a, i) {
	printf "| %-13s |", label
	for (a = 1; a <= allocators; a++)
		for (i = 1; i <= count; i++)
			printf " %13s |", (i == 1 ? allocator[a] " " : "2^") rate[i]
	printf "\n| --- |"
	for (i = 1; i <= allocators * count; i++)
		printf " ---: |"
	printf "\n"
}

function cell(kind, program, a, i,    off, now) {
	off = figure[kind, program, allocator[a] "@" rate[1]]
	now = figure[kind, program, allocator[a] "@" rate[i]]
	if (i == 1)
		return sprintf(format[kind], off)
	if (off <= 0)
		return "-"
	sum[kind, a, i] += log(now / off)
	number[kind, a, i]++
	return sprintf("%+.1f %%", 100 * (now / off - 1))
}

function table(kind, label,    r, a, i, mean) {
	head(label)
	for (r = 1; r <= rows; r++) {
		printf "| %-13s |", order[r]
		for (a = 1; a <= allocators; a++)
			for (i = 1; i <= count; i++)
				printf " %13s |", cell(kind, order[r], a, i)
		printf "\n"
	}
	printf "| %-13s |", "mean"
	for (a = 1; a <= allocators; a++)
		for (i = 1; i <= count; i++) {
			mean = ""
			if (number[kind, a, i])
				mean = sprintf("%+.2f %%", 100 * (exp(sum[kind, a, i] / number[kind, a, i]) - 1))
			printf " %13s |", mean
		}
	printf "\n"
}

END {
	if (!rows)
		exit
	table(1, "time")
	print ""
	table(2, "peak memory")
}
