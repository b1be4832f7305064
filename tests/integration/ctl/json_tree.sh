#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# malloc_stats_print in JSON has the keys and types of jemalloc's, for each
# letter that leaves something out, but for what is listed with its reason.
. "$top_srcdir/tests/tap/tap.sh"

here=$top_srcdir/tests/integration/ctl
python=$(command -v python3) || skip_all 'python3 is not installed'
program=$top_builddir/tests/integration/ctl/eight_threads

# A program of several arenas: a single one jemalloc does not add up.
output() {
	MALLOC_CONF="narenas:4,stats_print:true,stats_print_opts:$1" \
		LD_PRELOAD=$2 "$program" 2>"$tmp/$3" >/dev/null
}

output J libjemalloc.so.2 theirs && grep -q merged "$tmp/theirs" ||
	skip_all 'libjemalloc.so.2 is not installed'

letters='J Jg Jm Jd Ja Jb Jl Jx Je Jh Jmgb Jxel Jgmdablxeh'
plan $(echo "$letters" | wc -w)
for set in $letters; do
	output "$set" libjemalloc.so.2 theirs
	output "$set" "$liballoc" ours
	ok "the same tree by $set" "$python" "$here/json_tree.py" \
		"$tmp/ours" "$tmp/theirs" "$here/json_tree.allowed"
done
