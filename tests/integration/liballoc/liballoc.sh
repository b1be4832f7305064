#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# liballoc from outside: preloaded, opened as a private library, with little
# memory, before constructors and after destructors, and what it imports.
. "$top_srcdir/tests/tap/tap.sh"
here=$top_srcdir/tests/integration/liballoc
plan 41

cc() {
	$CC -O1 -g -I"$top_srcdir/tests" -I"$top_srcdir" "$@"
}

ok 'a library that allocates early and late builds' \
	cc -shared -fPIC -o "$tmp/early_late.so" "$here/early_late.c"
runs 0 'preloaded before liballoc it works' \
	env LD_PRELOAD="$tmp/early_late.so $liballoc" /bin/true
matches 'early' 'made early' "$tmp/err"
matches 'and late' 'freed late' "$tmp/err"
runs 0 'and after' env LD_PRELOAD="$liballoc $tmp/early_late.so" /bin/true
matches 'late as well' 'freed late' "$tmp/err"

ok 'a library with a lock that it takes before a fork builds' \
	cc -shared -fPIC -DLIBRARY -o "$tmp/libhandlers.so" \
	"$here/fork_handlers.c"
ok 'and a program' \
	cc -o "$tmp/handlers" "$here/fork_handlers.c" "$tmp/libhandlers.so" \
	-Wl,-rpath,"$tmp" -lpthread
if readelf -d "$liballoc" | grep -q INITFIRST; then
	ok 'which forks while others allocate under that lock' \
		env LD_PRELOAD="$liballoc" timeout 60 "$tmp/handlers"
else
	skip 'which forks while others allocate under that lock' \
		'the C library is older than 2.34'
fi
runs 0 'options are read, however early that is' \
	env LD_PRELOAD="$liballoc" MALLOC_CONF=confirm_conf:true /bin/true

ok 'a program that opens liballoc builds' \
	cc -o "$tmp/private" "$here/private_library.c" -ldl -lpthread
ok 'liballoc as a private library' "$tmp/private" "$liballoc"
ok 'twice over: liballoc preloaded, its copy opened' \
	sh -c "cp '$liballoc' '$tmp/copy.so' &&
		LD_PRELOAD='$liballoc' '$tmp/private' '$tmp/copy.so'"

ok 'a program that limits its own address space builds' \
	cc -o "$tmp/own_limit" "$here/own_limit.c" -lpthread
runs 0 'and can map memory and start threads then' \
	env LD_PRELOAD="$liballoc" "$tmp/own_limit"
runs 0 'as it can on the C library' "$tmp/own_limit"
ok 'a program in a sandbox builds' \
	cc -o "$tmp/hardened" "$here/hardened.c"
for call in mincore openat; do
	for conf in '' thp:filled lg_prof_sample:0; do
		what="and lives where $call kills ($conf)"
		env LD_PRELOAD="$liballoc" MALLOC_CONF=$conf "$tmp/hardened" \
			$call && status=0 || status=$?
		if [ $status -eq 77 ]; then
			skip "$what" 'the kernel has no such filters'
		else
			ok "$what" test $status -eq 0
		fi
	done
done
ok 'a program that locks its memory builds' \
	cc -o "$tmp/own_lock" "$here/own_lock.c"
env LD_PRELOAD="$liballoc" "$tmp/own_lock" && status=0 || status=$?
if [ $status -eq 77 ]; then
	skip 'it locks what it uses' 'the system allows too little of it'
else
	ok 'it locks what it uses' test $status -eq 0
fi

ok 'a program that takes all memory builds' \
	cc -o "$tmp/little" "$here/little_memory.c"
ok 'with 64 MiB of address space' \
	sh -c "ulimit -v 65536; LD_PRELOAD='$liballoc' '$tmp/little' 36"
ok 'with 64 MiB of data' \
	sh -c "ulimit -d 65536; LD_PRELOAD='$liballoc' '$tmp/little' 36"
ok 'with 300 MiB' \
	sh -c "ulimit -v 300000; LD_PRELOAD='$liballoc' '$tmp/little' 90"
for option in tcache:false,narenas:1 zero:true dirty_decay_ms:0 \
	dirty_decay_ms:-1,retain:false; do
	ok "with MALLOC_CONF=$option" \
		sh -c "ulimit -v 300000
			MALLOC_CONF=$option LD_PRELOAD='$liballoc' '$tmp/little' 90"
done

ok 'a wrong free is told and aborts' sh -c "
	echo '#include <stdlib.h>
	int main(void) { int x; void *volatile p = &x; free(p); return 0; }' |
	$CC -w -x c -o '$tmp/wrong' - &&
	{ LD_PRELOAD='$liballoc' '$tmp/wrong' 2>&1; true; } |
	grep -q 'liballoc: .*0x'"

# The static library, as make install leaves it.
cat >"$tmp/static.c" <<'EOT'
#include <stdlib.h>
int opt = 7, heap_free = 1;
int message(void) { return opt; }
int print_end(void) { return heap_free; }
int mallctl(const char *, void *, size_t *, void *, size_t);
int main(void)
{
	size_t allocated = 0, size = sizeof(allocated);
	void *volatile p = malloc(100000);
	int failed = mallctl("stats.allocated", &allocated, &size, NULL, 0);

	free(p);
	return failed || allocated < 100000 || message() + print_end() != 8;
}
EOT
ok 'the internals of the static library are hidden' \
	sh -c "cp '$top_builddir/liballoc/.libs/liballoc.a' '$tmp' &&
		'$top_srcdir/build-aux/hide-internals' '$tmp/liballoc.a'"
ok 'a static program with functions of the same names links' \
	cc -static -o "$tmp/static" "$tmp/static.c" "$tmp/liballoc.a"
ok 'and runs on it' "$tmp/static"

# By -static alone there is no .eh_frame_hdr, and .eh_frame is searched for.
for kind in -static -static-pie; do
	if cc $kind -o "$tmp/static" "$here/static.c" \
		"${liballoc%.so*}.a" -lpthread 2>"$tmp/err"; then
		runs 0 "linked with $kind, each object sampled" \
			env MALLOC_CONF=lg_prof_sample:0 "$tmp/static"
		matches 'it allocates early and late' served "$tmp/out"
	else
		skip "linked with $kind" 'it does not link'
		skip 'it allocates early and late' 'it does not link'
	fi
done
