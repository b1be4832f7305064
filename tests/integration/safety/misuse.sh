#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Programs that misuse memory: each mistake is told, with what is known of the
# object and the stacks, and ends the process.
. "$top_srcdir/tests/tap/tap.sh"
here=$top_srcdir/tests/integration/safety
plan 47

# misuse CONF KIND: leaves its standard error in $tmp/err.
misuse() {
	# The shell that tells of the signal is another one.
	(MALLOC_CONF=$1 LD_PRELOAD=$liballoc "$tmp/misuse" "$2" \
		>"$tmp/out" 2>"$tmp/err"; echo $? >"$tmp/status") 2>"$tmp/shell"
}

# told CONF KIND STATUS TEXT: it ends so, with a line that matches.
told() {
	misuse "$1" "$2"
	[ "$(cat "$tmp/status")" -eq "$3" ] && grep -q "$4" "$tmp/err"
	result $? "$2 with ${1:-no options}: $4" || diag_file "$tmp/err"
}

# stack TITLE FUNCTION: the first frame of that stack lies in the function.
stack() {
	frame=$(sed -n "/^  $1:/{n;s/.*misuse+\(0x[0-9a-f]*\).*/\1/p;}" \
		"$tmp/err" | head -n 1)
	addr2line -f -e "$tmp/misuse" "${frame:-0}" | grep -qx "$2"
	result $? "$1 $2" || diag_file "$tmp/err"
}

ok 'it builds' $CC -O1 -g -w -I"$top_srcdir/liballoc/include" \
	-o "$tmp/misuse" "$here/misuse.c" "$liballoc" -lpthread

# Without options, what costs nothing.
told '' thread-double-free 134 'double free of 0x'
told '' large-double-free 134 'liballoc: .* 0x'
stack 'found by' frees
told '' interior 134 'no allocation: 0x'
told '' interior 134 'lies 64 bytes into a large object of 1048576'
told '' interior-small 134 'no allocation: 0x'
told '' interior-small 134 'lies 8 bytes into an object of 112 bytes'
told '' foreign 134 'no allocation: 0x'
told tcache:false double-free 134 'double free of 0x'
told tcache:false wrong-size 134 'wrong size of 0x'
told lg_prof_sample:0 interior 134 '1048576 bytes were asked for'
stack 'allocated by' allocates

# Built for debugging, each free is checked, the fast path's too.
if grep -q '^#define LIBALLOC_DEBUG' "$top_builddir/config.h"; then
	told '' double-free 134 'double free of 0x'
else
	skip 'a double free by the fast path' 'not built with --enable-debug'
fi

# Guarded.
guard=lg_prof_sample:0,prof_guard:1
told $guard overflow 139 'overflow of an object at 0x'
stack 'allocated by' allocates
stack 'touched by' overflow
told $guard read-after-free 139 'use after free at 0x'
stack 'allocated by' allocates
stack 'freed by' frees
stack 'touched by' read_after_free
told $guard write-after-free 139 'bytes into a freed guarded object of 100'
told $guard small-overflow 134 'overflow of an object, found when it is freed'
told $guard small-overflow 134 'lies 1 bytes past the end of a'
told $guard underflow 134 'underflow of an object, found when it is freed'
told $guard read-before 139 'lies 20 bytes before a guarded object of 100'
told $guard double-free 134 'double free, or use after free, of 0x'
stack 'freed by' frees
told $guard interior 134 'no allocation: 0x'
told $guard alternate-stack 139 'overflow of an object at 0x'
told $guard in-child 0 'use after free at 0x'
told $guard in-child 0 'child ended'
told $guard handled 3 "the program's handler"
told $guard,prof_guard_max:8 overflow 139 '^'
misuse $guard null-pointer
[ "$(cat "$tmp/status")" -eq 139 ] && [ ! -s "$tmp/err" ]
result $? 'other faults end it as ever' || diag_file "$tmp/err"
misuse lg_prof_sample:0 harmless
cp "$tmp/out" "$tmp/plain"
for conf in $guard $guard,prof_guard_max:8 lg_prof_sample:0,prof_guard:3 \
	$guard,tcache:false; do
	misuse $conf harmless
	same "what a program counts with $conf" "$tmp/plain" "$tmp/out"
done
[ "$(cat "$tmp/status")" -eq 0 ]
result $? 'and it ends well' || diag_file "$tmp/err"

# Filled.
for row in 'false:' 'true:a5 a5 5a 00' 'alloc:a5 a5 '; do
	misuse "junk:${row%%:*}" filled
	grep -q "^${row#*:}" "$tmp/out"
	result $? "junk:${row%%:*}" || diag_file "$tmp/out"
done
misuse junk:free filled
grep -q ' 5a 00$' "$tmp/out"
result $? junk:free || diag_file "$tmp/out"
told junk:true write-after-free 134 'a write to freed memory at 0x'
told junk:free write-after-free 134 'lies 50 bytes into an object of 112'
told junk:true double-free 134 'double free of 0x'
