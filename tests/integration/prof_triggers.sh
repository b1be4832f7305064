#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# When dumps are made, under which names, and what becomes of the program where
# they cannot be.
. "$top_srcdir/tests/tap/tap.sh"
plan 105

for program in trigger peak; do
	$CC -g -O1 -I"$top_srcdir/liballoc/include" \
		"$top_srcdir/tests/integration/prof/$program.c" \
		-o "$tmp/$program" "$liballoc" -lpthread \
		-Wl,-rpath,"$top_builddir/liballoc/.libs" || exit 99
done
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
ok 'it is close to the true one' timeout 100 "$tmp/peak"
ok 'a peak that prof.reset has forgotten' run prof_peak_final:true \
	hold:8 drop reset nopeak:x
are 'is none'
ok 'tables that were full' run lg_prof_sample:0,prof_ledger_bytes:1048576 \
	hold:400 drop dump:x reset hold:1 dump:y
matches 'are told of' '^# dropped [1-9][0-9]* [1-9][0-9]*$' x
matches 'until prof.reset' '^# dropped 0 0$' y
ok 'without prof_peak' run prof_peak:false,prof_peak_final:true hold:2 nopeak:x
are 'there is none'

# Above a limit: first at 8 MiB, then at each 4 MiB more than there was then.
above=lg_prof_sample:12,prof_dump_interval_ms:0,prof_dump_above
ok 'above so much' run $above:8M,prof_dump_step:4M hold:18
are 'and at each step above that' 'jeprof.<n>.0.a0.heap' \
	'jeprof.<n>.1.a1.heap' 'jeprof.<n>.2.a2.heap'
in_use=$(awk '/^  t\*:/ { print $3 + 0; exit }' jeprof.*.0.a0.heap)
[ "$in_use" -ge 7500000 ] && [ "$in_use" -le 9500000 ]
result $? "with so much in it: $in_use"
ok 'below it' run $above:8M hold:7
are 'nothing comes of it'
ok 'a step is a tenth where none is given' run $above:40M hold:46
are 'of the limit' 'jeprof.<n>.0.a0.heap' 'jeprof.<n>.1.a1.heap'
ok 'not oftener than told' run \
	$above:4M,prof_dump_step:1M,prof_dump_interval_ms:3600000 hold:16
are 'it is once an hour' 'jeprof.<n>.0.a0.heap'
ok 'what falls well below, and rises again' run \
	$above:8M,prof_dump_step:4M hold:10 drop hold:10
are 'is told again' 'jeprof.<n>.0.a0.heap' 'jeprof.<n>.1.a1.heap'
ok 'what falls but a little' run $above:8M,prof_dump_step:9M \
	hold:10 drop hold:10
are 'is not' 'jeprof.<n>.0.a0.heap'
ok 'few are kept' run $above:4M,prof_dump_step:4M,prof_dump_keep:2 hold:22
are 'of each kind, the newest' 'jeprof.<n>.3.a3.heap' 'jeprof.<n>.4.a4.heap'
ok 'what was asked for stays' run \
	prof_dump_keep:1,prof_signal:SIGUSR1 dump:x dump:y \
	signal:10 busy signal:10 busy
are 'all of it' x y 'jeprof.<n>.0.s0.heap' 'jeprof.<n>.1.s1.heap'

# Of the limit of a control group, and where memory is tight.
root=$tmp/root
mkdir -p "$root/proc/self" "$root/cg/a"
echo "0::/a" >"$root/proc/self/cgroup"
echo '30 23 0:26 / /cg rw,nosuid shared:4 - cgroup2 cgroup2 rw' \
	>"$root/proc/self/mountinfo"
echo 1000000000 >"$root/cg/a/memory.max"
# group USAGE CACHE PRESSURE
group() {
	echo "$1" >"$root/cg/a/memory.current"
	printf 'anon 0\ninactive_file %s\n' "$2" >"$root/cg/a/memory.stat"
	echo "some avg10=$3 avg60=0.00 avg300=0.00 total=9" \
		>"$root/cg/a/memory.pressure"
}
group 600000000 0 0.00
ok 'above a part of the limit' run $above:60%,cgroup_root:"$root" hold:8
are 'there is a dump' 'jeprof.<n>.0.a0.heap'
ok 'below it' run $above:61%,cgroup_root:"$root" hold:8
are 'there is none'
group 600000000 100000000 0.00
ok 'page cache' run $above:60%,cgroup_root:"$root" hold:8
are 'is no use of memory'
ok 'without a limit' run $above:1%,cgroup_root:"$tmp/none" hold:8
are 'there is no part of it'
ok 'the own limit' run $above:50%,prof_dump_step:50%,memory_limit:33554432 \
	hold:20
are 'will do' 'jeprof.<n>.0.a0.heap'
tight=prof_dump_tight:true,cgroup_root:$root
ok 'where memory is not tight' run "$tight" hold:8
are 'there is no dump'
group 950000000 0 0.00
ok 'where it is' run "$tight" hold:8
are 'there is one' 'jeprof.<n>.0.t0.heap'
group 100000000 0 35.00
ok 'where tasks wait for memory' run "$tight" hold:8
are 'there is one as well' 'jeprof.<n>.0.t0.heap'

# A real group of 64 MiB, in which the program is killed: its dump is there.
own=$(sed -n 's/^[0-9]*:memory:/\/sys\/fs\/cgroup\/memory/p' /proc/self/cgroup)
group=${own%/}/liballoc-triggers-$$
if [ -n "$own" ] && mkdir "$group" 2>/dev/null &&
	echo 67108864 >"$group/memory.limit_in_bytes" 2>/dev/null; then
	rm -f ./*
	# shellcheck disable=SC2016 # expanded by the inner shell
	runs 137 'a program that the kernel kills for its memory' sh -c \
		'echo $$ >"$1/cgroup.procs" && MALLOC_CONF=$3 \
			exec "$2" hold:500' sh "$group" "$tmp/trigger" \
		lg_prof_sample:12,prof_dump_tight:true
	in_use=$(awk '/^  t\*:/ { print $3 + 0; exit }' jeprof.*.0.t0.heap)
	[ "${in_use:-0}" -ge 20000000 ]
	result $? "has left a dump, of ${in_use:-no} bytes in use"
	for try in 1 2 3 4 5 6 7 8 9 10; do
		rmdir "$group" 2>/dev/null && break
		sleep 0.$try
	done
else
	rmdir "$group" 2>/dev/null
	skip 'a program that the kernel kills' 'no group can be made here'
	skip 'has left a dump' 'no group can be made here'
fi

# The handler of a signal does nothing but note it.
ok 'a signal, and no allocation since' run prof_signal:SIGUSR2 signal:12 quit
are 'makes no dump'
ok 'nor one that the program has a handler for' run \
	prof_signal:SIGUSR2 handle:12 signal:12 busy
are 'makes one'
ok 'the background thread makes it' run \
	prof_signal:SIGUSR2,background_thread:true hold:8 signal:12 await:0.s0

# A program goes on where its dumps fail, and its signals stay its own.
ok 'no room for a file' run lg_prof_sample:12 file:1000 refused:x busy
matches 'costs a message' 'profile x: the file would be too large' "$tmp/err"
are 'and leaves nothing'
mkfifo pipe
ok 'nobody at the other end of a pipe' env MALLOC_CONF= timeout 100 \
	"$tmp/trigger" refused:pipe
matches 'costs a message' 'profile pipe: nobody reads the pipe' "$tmp/err"
ok 'a cancelled thread allocates on' run lg_prof_interval:20 cancelled dump:x
ok 'one that looks at the last samples does so' run \
	lg_prof_sample:12,prof_recent_alloc_max:10 hold:1 recent dump:x
ok 'and one that ends the background thread' run background_thread:true \
	hold:2 stop dump:x
ok 'no descriptor for the mappings' run '' descriptors:1 refused:x busy
matches 'costs a message' 'profile x: too many open files' "$tmp/err"
are 'and leaves nothing'

# What stays where it is, and is written to.
rm -f ./*
mkdir files && echo old >files/real && ln -s files/real link &&
	ln -s link links && ln -s files/new fresh
ok 'a link to a link' "$tmp/trigger" dump:links
[ -L links ] && [ -L link ] && ! [ -L files/real ]
result $? 'stays one'
matches 'and a dump is where it leads' '^heap_v2/' files/real
ok 'a link to nothing' "$tmp/trigger" dump:fresh
matches 'makes it' '^heap_v2/' files/new
echo first >out
runs 0 'what is open by a path' sh -c '"$1" dump:/dev/stdout >>out' sh \
	"$tmp/trigger"
head -2 out | tr '\n' ' ' >"$tmp/got"
matches 'is gone on with' '^first heap_v2/' "$tmp/got"
if [ -w /dev/shm ]; then
	shm=/dev/shm/jeheap-triggers.$$
	ok 'two dumps to a file in /dev/shm' "$tmp/trigger" dump:$shm dump:$shm
	[ "$(grep -c '^heap_v2/' $shm)" -eq 1 ]
	result $? 'leave one there'
	runs 0 'where jeprof can make one, too' jeprof -o $shm.txt $shm
	rm -f $shm $shm.txt
else
	skip 'two dumps to a file in /dev/shm' 'none can be written there'
	skip 'leave one there' 'none can be written there'
	skip 'where jeprof can make one, too' 'none can be written there'
fi
ok 'the same of a file that is not appended to' sh -c \
	'exec >out && echo first && "$1" dump:/dev/stdout && echo last' sh \
	"$tmp/trigger"
sed -n '1p;2p;$p' out | tr '\n' ' ' >"$tmp/got"
matches 'is written in its turn' '^first heap_v2/[0-9]* last $' "$tmp/got"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir sticky && chmod 1777 sticky && ln -s ../files/real sticky/x &&
		chown -h 65534 sticky/x && echo mine >files/real
	ok "another's link where all may write" "$tmp/trigger" dump:sticky/x
	matches 'is not followed' '^mine$' files/real
	rm -r sticky
else
	skip "another's link where all may write" 'needs root'
	skip 'is not followed' 'needs root'
fi
[ "$(ls files)" = "$(printf 'new\nreal')" ]
result $? 'and nothing else is there'
chmod 600 out && ok 'a file for its owner alone' "$tmp/trigger" dump:out
[ "$(stat -c %a out)" = 600 ]
result $? 'stays so'
long=$(printf '%0240d' 0)
ok 'a name as long as it may be' "$tmp/trigger" "dump:$long"
matches 'is one' '^heap_v2/' "$long"
rm -rf files ./*
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 true 2>/dev/null; then
	mkdir closed && echo old >closed/x && chown 65534 closed/x
	chmod 755 "$tmp" "$tmp/to"
	ok 'a file in a folder where none can be made' setpriv --reuid=65534 \
		"$tmp/trigger" dump:closed/x
	matches 'is written to' '^heap_v2/' closed/x
else
	skip 'a file in a folder where none can be made' 'needs root'
	skip 'is written to' 'needs root'
fi
if unshare -m true 2>/dev/null; then
	echo old >below && echo old >mount
	# shellcheck disable=SC2016
	ok 'a file that is a mount' unshare -m sh -c \
		'mount --bind below mount && "$1" dump:mount' sh "$tmp/trigger"
	matches 'is written to' '^heap_v2/' below
	[ "$(ls)" = "$(printf 'below\nmount')" ] || [ -d closed ]
	result $? 'and nothing is left behind'
else
	for what in 'a file that is a mount' 'is written to' \
		'and nothing is left behind'; do
		skip "$what" 'nothing can be mounted here'
	done
fi
rm -rf ./*

ok 'a thread with a small stack' run lg_prof_interval:20 small
ls >"$tmp/got"
matches 'makes dumps' '^jeprof\.[0-9]+\.7\.i7\.heap$' "$tmp/got"
ok 'no memory' run lg_prof_sample:12 hold:1 memory refused:x busy
matches 'costs a message' 'profile x: out of memory' "$tmp/err"
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
