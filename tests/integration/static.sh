# SPDX-License-Identifier: BSD-2-Clause
# A program that liballoc is linked into, with libc or without, PIE or not,
# stripped or not, with .eh_frame_hdr or not: its stacks begin at who called the
# API, whichever function of it, and it is read from outside as any other.
. "$top_srcdir/tests/tap/tap.sh"

library=$top_builddir/liballoc/.libs/liballoc.a
[ -f "$library" ] || skip_all 'liballoc.a was not built'
pid=
trap '[ -z "$pid" ] || kill $pid; rm -rf "$tmp"' EXIT

cat >"$tmp/callers" <<-EOF
	by_aligned_alloc
	by_calloc
	by_growing
	by_malloc
	by_mallocx
	by_memalign
	by_posix_memalign
	by_rallocx
	by_reallocarray
	by_valloc
EOF

# leaves INPUT: the functions that hold memory of their own.
leaves() {
	jeprof --nodecount=0 --inuse_objects "$1" |
		awk '$1 + 0 > 0 && $NF ~ /[a-z]/ && header { print $NF }
			$1 == "flat" { header = 1 }' | sort
}

# tries FLAGS...: builds with them, runs, reads the dump and the process.
tries() {
	# shellcheck disable=SC2086 # CC may be a command and its options
	$CC -O2 -g -fno-builtin -I"$top_srcdir/liballoc/include" "$@" \
		-o "$tmp/everything" \
		"$top_srcdir/tests/integration/static/everything.c" \
		"$library" -lpthread 2>"$tmp/err" || {
		skip "$* (dump)" 'cannot be linked here'
		skip "$* (process)" 'cannot be linked here'
		return
	}
	# The shell empties it in the background: the last one's must be gone.
	rm -f "$tmp/ready"
	MALLOC_CONF=lg_prof_sample:0 "$tmp/everything" "$tmp/heap" \
		>"$tmp/ready" &
	pid=$!
	waited=0
	until [ -s "$tmp/ready" ] || [ $((waited += 1)) -gt 100 ]; do
		sleep 0.1
	done
	leaves "$tmp/heap" >"$tmp/of_dump"
	leaves $pid >"$tmp/of_process"
	kill $pid
	wait $pid 2>/dev/null
	pid=
	grep '^by_' "$tmp/of_dump" >"$tmp/ours"
	grep allocate "$tmp/of_dump" >>"$tmp/ours"
	same "$* (dump)" "$tmp/callers" "$tmp/ours"
	same "$* (process)" "$tmp/of_dump" "$tmp/of_process"
}

plan 11
tries -pie
tries -no-pie
# gcc asks for no .eh_frame_hdr by this alone.
tries -static
tries -static -Wl,--eh-frame-hdr
tries -static-pie

# Where libc is linked in, too, the first thread's descriptor has other words.
if $CC -static -O1 -I"$top_builddir" -I"$top_srcdir" -I"$top_srcdir/tests" \
	-o "$tmp/own_stack" "$top_srcdir/tests/unit/prof/own_stack.c" \
	"$library" -lpthread 2>"$tmp/err"; then
	"$tmp/own_stack" >"$tmp/out"
	result $? 'the stacks that are threads'"'"' own' || diag_file "$tmp/out"
else
	skip 'the stacks that are threads'"'"' own' 'cannot be linked here'
fi
