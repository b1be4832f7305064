#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The stress programs at length: STRESS_SCALE times the work of make check (5
# where it is not set), then once more with each of the options that take the
# allocator other ways.
. "$top_srcdir/tests/tap/tap.sh"
here=$top_builddir/tests/stress
scale=${STRESS_SCALE:-5}

# One to a line: options that change which code runs.
cat >"$tmp/options" <<'EOT'
prof:false
lg_prof_sample:10
tcache:false
narenas:1
dirty_decay_ms:0,muzzy_decay_ms:0
dirty_decay_ms:-1,retain:false
dirty_decay_ms:50,muzzy_decay_ms:50
zero:true
EOT
plan $((2 + 2 * $(wc -l <"$tmp/options") + 1))

for program in api loads; do
	ok "$program, $scale times" env STRESS_SCALE="$scale" "$here/$program"
done
while read -r options; do
	for program in api loads; do
		ok "$program with $options" env STRESS_SCALE=1 \
			MALLOC_CONF="$options" "$here/$program"
	done
done <"$tmp/options"
ok 'realloc chains in 400 MiB of address space' sh -c \
	"ulimit -v 409600; MALLOC_CONF=prof_ledger_bytes:4194304 '$here/loads' realloc_chains"
