#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A process in a container: in pid, mount and user namespaces of its own, with
# a root of its own whose files are nowhere else. It is read from outside by
# its pid there, and its functions have their names.
. "$top_srcdir/tests/tap/tap.sh"

pid=
trap '[ -z "$pid" ] || kill -KILL $pid; rm -rf "$tmp"' EXIT
here=$top_builddir/tests/integration/live
root=$tmp/root
unshare --user --map-root-user --mount --pid --fork true 2>/dev/null ||
	skip_all 'no namespaces can be made here'
"$here/no_attach" true
filters=$?

# The program and all that it loads, under its own paths.
libraries=$(ldd "$here/subject" | grep -o '/[^ )]*')
for file in $libraries "$liballoc"; do
	mkdir -p "$root${file%/*}"
	cp -L "$file" "$root$file"
done
cp "$here/subject" "$root/contained"
plan 9

mkfifo "$tmp/said"
unshare --user --map-root-user --mount --pid --fork \
	env LD_PRELOAD="$liballoc" chroot "$root" /contained >"$tmp/said" &
outer=$!
exec 3<"$tmp/said"
while read -r line <&3; do
	[ "$line" != ready ] || break
	echo "# the subject says: $line"
done
pid=$(cat "/proc/$outer/task/$outer/children")
pid=${pid% }
matches 'it has another pid inside' "^NSpid:.*[[:space:]]${pid}[[:space:]]1\$" \
	"/proc/$pid/status"

runs 0 'jestat reads it from outside' jestat --json "$pid"
matches 'with what it allocated' '"allocated":[1-9]' "$tmp/out"
jestat ps >"$tmp/out" 2>&1
matches 'and lists it' "^ *$pid .*contained" "$tmp/out"
runs 0 'jeprof reads it from outside' jeprof "$pid"
matches 'with the names of its program' 'keep_reports' "$tmp/out"
lacks 'which is in the container alone' 'no such file' "$tmp/out"
if [ $filters -eq 77 ]; then
	skip 'its snapshot is read by its inner pid' 'no seccomp notifications'
	skip 'with what it allocated' 'the same'
else
	runs 0 'its snapshot is read by its inner pid' \
		"$here/no_attach" jestat --json "$pid"
	matches 'with what it allocated' '"allocated":[1-9]' "$tmp/out"
fi
kill -KILL "$pid"
pid=
wait "$outer" 2>/dev/null
exit 0
