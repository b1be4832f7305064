#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# When dumps are made, under which names, and what becomes of the program where
# they cannot be.
. "$top_srcdir/tests/tap/tap.sh"
plan 26

$CC -g -O1 -I"$top_srcdir/liballoc/include" \
	"$top_srcdir/tests/integration/prof/trigger.c" -o "$tmp/trigger" \
	"$liballoc" -lpthread -Wl,-rpath,"$top_builddir/liballoc/.libs" ||
	exit 99
mkdir "$tmp/to" && cd "$tmp/to" || exit 99

# are DESCRIPTION PATTERN...: what the folder has, each once, "<n>" a number.
are() {
	what=$1
	shift
	printf '%s\n' "$@" | sort | grep . >"$tmp/want"
	ls "$tmp/to" | sed 's/[0-9]\{1,\}/<n>/' | sort >"$tmp/got"
	same "$what" "$tmp/want" "$tmp/got"
}

# run CONF STEP...
run() {
	rm -f "$tmp/to"/*
	conf=$1
	shift
	MALLOC_CONF=$conf timeout 100 "$tmp/trigger" "$@"
}

ok 'a dump by name' run lg_prof_sample:12 dump:x
are 'is called so' x
ok 'dumps by prefix' run prof_prefix:a,prof_final:true,lg_prof_interval:24 \
	hold:18
are 'have the pid, a sequence, the kind and its own' \
	'a.<n>.0.i0.heap' 'a.<n>.1.f.heap'
ok "with the namespace of pids" run prof_pid_namespace:true,prof_final:true
number=$(readlink /proc/self/ns/pid | tr -dc 0-9)
are 'that is before the pid' "jeprof.<n>.$(ls | cut -d. -f3).0.f.heap"
ls >"$tmp/got"
matches 'and is the one of /proc' "^jeprof\\.$number\\." "$tmp/got"
ok 'no prefix' run prof_prefix:,prof_final:true,lg_prof_interval:20 hold:8
are 'no file'

# The peak: 32 MiB in pieces of 16 KiB, of which 4 MiB are left.
ok 'the peak' run prof_peak_final:true,lg_prof_sample:10 \
	hold:32 drop hold:4 peak:x
are 'is dumped by name, and at exit' x 'jeprof.<n>.0.p0.heap'
awk '/^  t\*:/ { print $2 + 0, $3 + 0, $4 $5; exit }' x >"$tmp/got"
awk '{ exit !($1 >= 2016 && $1 <= 2100 && $3 == "[0:0]") }' "$tmp/got"
result $? 'is of all there was, and of the past nothing' ||
	diag_file "$tmp/got"
bytes=$(sed -n 's/^# peak_bytes //p' x)
[ "$bytes" -ge 33030144 ] && [ "$bytes" -le 34603008 ]
result $? "and knows how much it was: $bytes"
ok 'without prof_peak' run prof_peak:false,prof_peak_final:true hold:2 nopeak:x
are 'there is none'

# A program goes on where its dumps fail, and its signals stay its own.
ok 'no room for a file' run lg_prof_sample:12 file:1000 refused:x busy
matches 'costs a message' 'profile x: the file would be too large' "$tmp/err"
are 'and leaves nothing'
mkfifo pipe
ok 'nobody at the other end of a pipe' env MALLOC_CONF= timeout 100 \
	"$tmp/trigger" refused:pipe
matches 'costs a message' 'profile pipe: nobody reads the pipe' "$tmp/err"
ok 'a cancelled thread allocates on' run lg_prof_interval:20 cancelled dump:x
if unshare -m true 2>/dev/null; then
	# in_small MOUNT-OPTIONS CONF COMMAND...: in a file system of its own.
	in_small() {
		# shellcheck disable=SC2016
		unshare -m sh -c 'mount -t tmpfs -o "$1" none . && cd "$PWD" &&
			MALLOC_CONF=$2 && export MALLOC_CONF && shift 2 &&
			timeout 100 "$@" && ls' sh "$@"
	}
	ok 'a full disk' in_small size=4k \
		lg_prof_sample:10,lg_prof_interval:23,prof_gdump:true \
		"$tmp/trigger" hold:20 refused:x
	matches 'costs a message' 'cannot write .*: no space left' "$tmp/err"
	lacks 'and is left as it was' . "$tmp/out"
	ok 'a read-only one' in_small ro '' "$tmp/trigger" refused:x
	matches 'costs a message' 'profile x: read-only file system' "$tmp/err"
else
	for what in 'a full disk' 'costs a message' 'and is left as it was' \
		'a read-only one' 'costs a message'; do
		skip "$what" 'no file system can be mounted here'
	done
fi
