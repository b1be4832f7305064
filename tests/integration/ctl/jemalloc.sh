#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each control answers as jemalloc's own does (Debian's libjemalloc2): the
# same types, access and errors, whatever the lengths.
. "$top_srcdir/tests/tap/tap.sh"

probe=$top_builddir/tests/integration/ctl/probe
list=$top_builddir/tests/unit/ctl/list

LD_PRELOAD=libjemalloc.so.2 "$probe" </dev/null 2>/dev/null ||
	skip_all 'libjemalloc.so.2 is not installed'
plan 3

# Left out: what jemalloc 5.3.0 itself crashes on when it is asked wrongly,
# what it does not have, or not in Debian's build, and where it does not look
# at what is to be written.
"$list" | sed -n 's/^control \([^ ]*\) .*/\1/p' | sed 's/<[ij]>/0/g' |
	grep -vxE '(tcache|arenas)\.create|arenas\.lookup|opt\.xmalloc' |
	grep -vE '^opt\.malloc_conf\.|^approximate_stats|prof_frameptr$|\.pactivep$' |
	grep -vxE 'prof\.(dump_peak|peak_bytes)|experimental\.(batch_alloc|arenas_create_ext|hooks\.prof_sample.*)|arena\.0\.name' |
	grep -vxE 'opt\.(debug_double_free_max_scan|prof_guard(_max)?|prof_(pid_namespace|peak|peak_final|dump_.*|signal))' |
	grep -vxE 'opt\.(prof_(bt_max|control|frame_pointers|log|ledger_bytes|seed|unbias)|ledger_export|dirty_limit|memory_limit|cgroup_root)' |
	grep -vxE 'thread\.tcache\.(max|ncached_max\.(read_sizeclass|write))' |
	grep -vxE 'stats\.(dirty_limit|memory_(limit|usage|pressure)|eager_purges)' >"$tmp/names"
cat >>"$tmp/names" <<-EOF
	nothing
	stats
	stats.arenas.0
	stats.arenas.4095.nthreads
	stats.arenas.4096.nthreads
	stats.arenas.4097.nthreads
	stats.arenas.0.bins.65535.nmalloc
	arenas.bin.65535.size
	arenas.lextent.65535.size
	arena.65535.initialized
	version.x
	thread.prof.name.
EOF

# Where both lengths are wrong at once, jemalloc says so of the one that a
# control happens to look at first.
answers() {
	MALLOC_CONF=$1 LD_PRELOAD=$2 "$probe" <"$tmp/names" |
		sed '/decay_ms\|oversize/s/ x16:[^ ]*//'
}

for conf in prof:true prof:false; do
	answers $conf libjemalloc.so.2 >"$tmp/jemalloc"
	answers $conf "$liballoc" >"$tmp/liballoc"
	same "the same answers with $conf" "$tmp/jemalloc" "$tmp/liballoc"
done
[ "$(wc -l <"$tmp/liballoc")" -gt 100 ]
result $? 'and all were asked'
