#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tour.sh BUILDDIR: shows the suite at work on the bundled service, with the
# commands as one would type them. Writes to BUILDDIR/demo and leaves no
# process behind.
set -eu

build=$(cd "$1" && pwd)
demo=$build/demo
warm_up=${TOUR_SECONDS:-6}  # until the first profile is taken
growth=${TOUR_SECONDS:-6}   # until the second one is

PATH=$build/jeprof:$build/jeheapdiff:$build/jestat:$PATH
export PATH
payments=$build/examples/payments/payments
liballoc=$build/liballoc/.libs/liballoc.so
service=

stop_service() {
	[ -z "$service" ] || kill "$service" 2>/dev/null || true
}
trap stop_service EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

tell() {
	printf '\n%s\n' "$*"
}

# show COMMAND...: prints it as one would type it, then runs it.
show() {
	printf '%s$' "$bold"
	for word; do
		case $word in
		*[!A-Za-z0-9_./=:-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '%s\n' "$plain"
	"$@"
}

start_service() {
	printf '%s$ LD_PRELOAD=liballoc.so payments --leak=4M &%s\n' \
		"$bold" "$plain"
	LD_PRELOAD=$liballoc "$payments" --seconds=120 --leak=4M --quiet &
	service=$!
	sleep "$warm_up"
}

mkdir -p "$demo"
cd "$demo"
rm -f a.pb.gz b.pb.gz flame.html callgraph.svg growth.html

tell 'A service that takes payments, on liballoc, with a leak switched on.' \
	'Nothing else is configured; profiling is always on.'
start_service

tell 'Where is its memory, now? jeprof reads it from outside.'
show jeprof --nodecount=8 "$service"
tell "Charge it to who asked for it, not to the service's own wrappers:"
show jeprof --nodecount=10 --exclude='^(subsystem_)?(allocate|resize)$' "$service"
tell 'The same, kept in a file for later.'
show jeprof --pprof -o a.pb.gz "$service"

tell "$growth seconds later: what has grown, and is it more than noise?"
sleep "$growth"
show jeprof --pprof -o b.pb.gz "$service"
show jeheapdiff --same-process a.pb.gz b.pb.gz

tell 'What is the allocator doing? A row each second:'
show jestat "$service" 1 3
tell 'And by arena; the service made the last four for its subsystems:' \
	'sessions, cache, reports, journal.'
show jestat --arenas "$service"

tell 'Pictures, of the second profile and of the growth.'
show jeprof --flame -o flame.html b.pb.gz
show jeprof --svg -o callgraph.svg b.pb.gz
show jeheapdiff --same-process --flame -o growth.html a.pb.gz b.pb.gz

stop_service
wait "$service" 2>/dev/null || true
service=
tell 'Open them in a browser:'
for picture in flame.html callgraph.svg growth.html; do
	echo "  file://$demo/$picture"
done
tell "To try on a program of yours, with these in PATH:"
echo "  export PATH=$build/jeprof:$build/jeheapdiff:$build/jestat:\$PATH"
echo "  LD_PRELOAD=$liballoc YOUR-PROGRAM &"
echo "  jeprof \$!"
