# SPDX-License-Identifier: BSD-2-Clause
# bash and coreutils: arrays, substitutions, pipelines, sorting in parallel.
declare -A count
for ((i = 0; i < 20000; i++)); do
	key=k$((i * 7919 % 997))
	count[$key]=$((${count[$key]:-0} + i))
done
for key in "${!count[@]}"; do
	echo "$key ${count[$key]}"
done | sort | sha256sum
text=$(seq 1 50000)
echo "${#text} ${text//1/one}" | md5sum
seq 1 400000 | sort --parallel=2 -S 2M -rn | tac | uniq | sha256sum
seq 1 60000 | shuf --random-source=<(yes) | sort -n | sha256sum
seq 1 20000 | factor | awk '{ n += NF } END { print n }'
seq 1 9999 | split -l 500 - piece. && cat piece.* | wc -lc && rm piece.*
join <(seq 1 3000 | sort) <(seq 1 2 3000 | sort) | paste -sd, | cksum
seq 1 3000 | numfmt --to=iec | cut -c1-3 | tr -d . | fold -w 40 | od | tail -n 1
(exit 7)
echo "status $?"
