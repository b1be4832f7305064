#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# jestat set: what a process does when it is asked, what it says where it does
# not, and what is no request at all.
. "$top_srcdir/tests/tap/tap.sh"
plan 52

$CC -g -O1 -I"$top_srcdir/liballoc/include" \
	"$top_srcdir/tests/cli/jestat/asked.c" -o "$tmp/asked" \
	"$liballoc" -Wl,-rpath,"$top_builddir/liballoc/.libs" || exit 99

# start CONF MODE: a process that says on $tmp/says what holds.
start() {
	rm -f "$tmp/in"
	mkfifo "$tmp/in"
	MALLOC_CONF=$1 "$tmp/asked" "$2" <"$tmp/in" >"$tmp/says" \
		2>"$tmp/asked.err" &
	pid=$!
	exec 3>"$tmp/in"
	while ! grep -q ready "$tmp/says"; do
		sleep 0.05
	done
}

# now TEXT: the process says so when it is asked what holds.
now() {
	: >"$tmp/says"
	echo >&3
	while ! [ -s "$tmp/says" ]; do
		kill -0 $pid || return 1
		sleep 0.05
	done
	grep -qa "$1" "$tmp/says"
}

stop() {
	exec 3>&-
	wait $pid
}

# Small objects, which the caches serve, and a large one that is kept.
for mode in small large; do
	start prof_control:true,prof_prefix:"$tmp/$mode" $mode
	runs 0 "a process that allocates $mode objects" \
		jestat --wait=60 set $pid prof.active=false
	matches '  does what it is asked' \
		"^process $pid \\(asked\\): prof.active=false is done\$" \
		"$tmp/out"
	ok '  and has done it' now 'active 0, rate 19'
	runs 0 '  at another rate' jestat --wait=60 set $pid prof.lg_sample=14
	ok '  too' now 'active 0, rate 14'
	runs 0 '  and switched on again' \
		jestat --wait=60 set $pid prof.active=true
	ok '  samples are taken' now 'active 1, rate 14'
	runs 0 '  a dump' jestat --wait=60 set $pid prof.dump
	ok '  is written' test -s "$tmp/$mode.$pid.0.m0.heap"
	runs 0 '  free pages' jestat --wait=60 set $pid purge
	runs 0 '  what new threads begin with' \
		jestat --wait=60 set $pid prof.thread_active_init=false
	stop
done

start prof_control:true idle
runs 1 'an idle process' jestat --wait=0.05 set $pid prof.active=false
matches '  does not answer in time' \
	"^jestat: process $pid \\(asked\\) has not answered within 0.05 s" \
	"$tmp/err"
lacks '  and nothing is said to be done' '.' "$tmp/out"
runs 1 '  the next request takes its place' \
	jestat --wait=0 set $pid prof.lg_sample=9
ok '  and is done when it allocates' now 'active 1, rate 9'
stop

# Samples of two rates: each must stand for what it does at its own.
start prof_control:true,lg_prof_sample:25,prof_prefix:"$tmp/two" idle
ok 'a process with a sample or none' now 'rate 25'
jestat --wait=0 set $pid prof.lg_sample=22 >"$tmp/ignored" 2>&1
ok '  and then, at another rate,' now 'rate 22'
jestat --wait=0 set $pid prof.lg_sample=9 >"$tmp/ignored" 2>&1
for rate in 9 9 9; do
	now "rate $rate"
done
jestat --wait=0 set $pid prof.dump >"$tmp/ignored" 2>&1
ok '  more of them, is dumped' now 'rate 9'
jeprof --alloc_space $pid 2>"$tmp/err" | grep '^Total' >"$tmp/live"
jeprof --alloc_space "$tmp/two.$pid.0.m0.heap" | grep '^Total' >"$tmp/dumped"
same '  the dump has the same total and error' "$tmp/live" "$tmp/dumped"
sed 's/^# lg_sample .*/# lg_sample 20/; s/^heap_v2.*/heap_v2\/1048576/;
	s/^# t\([0-9]*\):/# at 9 t\1:/' "$tmp/two.$pid.0.m0.heap" >"$tmp/other"
jeprof --alloc_space "$tmp/other" | grep '^Total' >"$tmp/dumped"
same '  by the rates of its lines, not that of its header' "$tmp/live" \
	"$tmp/dumped"
jestat --wait=0 set $pid prof.lg_sample=30 >"$tmp/ignored" 2>&1
now 'rate 30'
jestat --wait=0 set $pid prof.dump >"$tmp/ignored" 2>&1
ok '  at a coarser rate, another dump' now 'rate 30'
matches '  has the finest in its header, for readers that know one' \
	'^heap_v2/512$' "$tmp/two.$pid.1.m1.heap"
stop

start prof_control:true,prof_prefix:"$tmp/missing/x" small
runs 1 'a dump that cannot be written' jestat --wait=60 set $pid prof.dump
lacks '  is not for want of a profile' 'keeps no profile' "$tmp/err"
stop

start '' small
runs 1 'a process that did not ask for requests' \
	jestat set $pid prof.active=false
matches '  is left alone, with the remedy' \
	"^jestat: process $pid \\(asked\\) takes no requests: .*prof_control:true" \
	"$tmp/err"
ok '  as it was' now 'active 1, rate 19'
stop

start prof_control:true small
if [ "$(id -u)" -eq 0 ] && command -v setpriv >"$tmp/ignored" &&
	setpriv --reuid=65534 --clear-groups "$(command -v jestat)" --version \
		>"$tmp/ignored" 2>&1; then
	runs 2 'another user' setpriv --reuid=65534 --clear-groups \
		"$(command -v jestat)" set $pid prof.active=false
	matches '  is refused, with the remedy' 'run as that user or as root|not permitted' \
		"$tmp/err"
	ok '  and nothing has changed' now 'active 1, rate 19'
else
	skip 'another user' 'cannot become one'
	skip '  is refused, with the remedy' 'cannot become one'
	skip '  and nothing has changed' 'cannot become one'
fi
stop

start prof:false,prof_control:true small
runs 1 'a process that keeps no profile' \
	jestat --wait=60 set $pid prof.active=true
matches '  refuses' "^jestat: process $pid \\(asked\\) refused: .*prof:false" \
	"$tmp/err"
runs 0 '  but gives pages back' jestat --wait=60 set $pid purge
stop

runs 2 'a name that there is not' jestat set $$ prof.nothing=1
matches '  is told' "'prof.nothing=1' is nothing that can be set" "$tmp/err"
runs 2 'a rate out of range' jestat set $$ prof.lg_sample=64
runs 2 'neither true nor false' jestat set $$ prof.active=yes
runs 2 'a value where none belongs' jestat set $$ purge=1
runs 2 'two things at once' jestat set $$ purge prof.dump
runs 2 'a process that is not on liballoc' jestat set $$ purge
