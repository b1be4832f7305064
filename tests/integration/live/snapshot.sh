#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Where the memory of a process may not be read, as under Yama: jestat shows
# the figures of the snapshot that it exports, the very ones that its memory
# holds, also while it is stopped; jeprof, and jestat where there is none, say
# what permission is lacking.
. "$top_srcdir/tests/tap/tap.sh"
. "$top_srcdir/tests/integration/live/subject.sh"

here=$top_builddir/tests/integration/live
"$here/no_attach" true
[ $? -ne 77 ] || skip_all 'the kernel has no seccomp notifications'
plan 19
preloaded=$liballoc

# What depends on when it was read is left out.
figures() {
	sed 's/,/\n/g' | grep -vE '^[{]?"(time|snapshot|.*_per_second|elapsed_.*)":'
}

without() {
	"$here/no_attach" "$@"
}

start '' "$here/subject" "$tmp/dump"
runs 0 'the memory can be read' jestat --json --bins "$pid"
figures <"$tmp/out" >"$tmp/wanted"
matches 'and is said to be what was read' '"snapshot":false' "$tmp/out"
runs 0 'without it, the snapshot can' without jestat --json --bins "$pid"
matches 'and is said to be' '"snapshot":true' "$tmp/out"
figures <"$tmp/out" >"$tmp/got"
same 'both have the same figures' "$tmp/wanted" "$tmp/got"
[ "$(grep -c '"small_allocated":[1-9]' "$tmp/got")" -gt 0 ]
result $? 'which are not nothing'
runs 0 'rows and arenas can be shown' without jestat --arenas "$pid"
runs 2 'a profile takes its memory' without jeprof "$pid"
matches 'which is said' 'cannot read the memory.*not permitted' "$tmp/err"
without jestat ps >"$tmp/out" 2>&1
matches 'it is listed' "^ *$pid .*subject" "$tmp/out"
kill -STOP "$pid"
runs 0 'it can be read while it is stopped' without jestat --json --bins "$pid"
figures <"$tmp/out" >"$tmp/got"
same 'with the same figures' "$tmp/wanted" "$tmp/got"
stop

start ledger_export:false "$here/subject" "$tmp/dump"
runs 2 'there is none with ledger_export:false' without jestat "$pid"
matches 'and what is lacking is told' \
	'cannot read the memory.*not permitted' "$tmp/err"
runs 0 'but memory is read as ever' jestat "$pid"
stop

cp "$liballoc" "$tmp/copy.so"
for libraries in "$liballoc $tmp/copy.so" "$tmp/copy.so $liballoc"; do
	preloaded=$libraries
	start '' "$here/subject" "$tmp/dump"
	without jestat --json "$pid" >"$tmp/out" 2>"$tmp/err"
	matches 'of two copies of liballoc, the one that is used' \
		'"allocated":[1-9]' "$tmp/out"
	stop
done

# As a user who is not root: with a process of his own.
user=
[ "$(id -u)" -ne 0 ] ||
	user='setpriv --reuid=65534 --regid=65534 --clear-groups'
# shellcheck disable=SC2086 # words
if $user "$top_builddir/jeprof/jeprof" --version >"$tmp/out" 2>&1; then
	$user sleep 60 &
	pid=$!
	waited=0
	until grep -q sleep "/proc/$pid/comm" || [ $((waited += 1)) -gt 100 ]; do
		sleep 0.1
	done
	runs 2 'the user of a process is refused by Yama' \
		$user "$here/no_attach" "$top_builddir/jeprof/jeprof" "$pid"
	matches 'and told how to be let' \
		'ptrace_scope is 1; run as root, or set it to 0' "$tmp/err"
	kill -KILL "$pid"
else
	skip 'the user of a process is refused by Yama' 'the build is private'
	skip 'and told how to be let' 'the same'
fi
