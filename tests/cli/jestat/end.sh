# SPDX-License-Identifier: BSD-2-Clause
# How jestat ends: with the process it watches, with its reader, or at once.
. "$top_srcdir/tests/tap/tap.sh"
plan 33

start() {
	rm -f "$tmp/in" "$tmp/ready"
	mkfifo "$tmp/in"
	"$top_builddir/tests/cli/jestat/fake_ledger" <"$tmp/in" >"$tmp/ready" &
	pid=$!
	exec 3>"$tmp/in"
	while ! grep -q ready "$tmp/ready"; do
		sleep 0.05
	done
}

start
(sleep 0.5; kill -9 $pid) &
killer=$!
before=$(date +%s)
runs 0 'the end of the process is no failure' jestat $pid 60
after=$(date +%s)
wait $killer
matches 'and is told' "^jestat: process $pid \\(fake_ledger\\) has ended\$" "$tmp/err"
result "$([ $((after - before)) -lt 30 ]; echo $?)" \
	'without waiting for the interval to end'
result "$([ "$(wc -l <"$tmp/out")" -eq 2 ]; echo $?)" 'after one row'
exec 3>&-
wait $pid 2>"$tmp/ignored"
runs 2 'a process that is gone' jestat $pid
matches 'is named' "^jestat: .*$pid.*gone" "$tmp/err"

sleep 60 &
other=$!
sleep 0.2
runs 2 'a process that is not on liballoc' jestat $other
matches 'is named, with a remedy' "process $other \\(sleep\\).*liballoc.*LD_PRELOAD" "$tmp/err"
lacks 'and nothing is printed' '.' "$tmp/out"
kill $other

runs 2 'no process' jestat
matches 'shows how' 'jestat PID' "$tmp/err"
runs 2 'a word for a process' jestat nonsense
matches 'points to the list' 'jestat ps' "$tmp/err"
runs 2 'pid 0' jestat 0
runs 2 'a pid that does not fit' jestat 99999999999999999999
runs 2 'an interval of 0' jestat 1 0
runs 2 'a negative interval' jestat 1 -1
runs 2 'an interval with a unit' jestat 1 1s
runs 2 'a count of 0' jestat 1 1 0
runs 2 'too many arguments' jestat 1 1 1 1
matches 'the one is named' "'1' is one argument too many" "$tmp/err"
runs 2 'an argument of ps' jestat ps 1
matches 'is named' "'1' is one argument too many" "$tmp/err"
runs 2 'a table that ps has not' jestat ps --bins
runs 2 'two formats' jestat --json --csv 1
runs 2 'two tables in one CSV' jestat --csv --bins --arenas 1
runs 2 'two others' jestat --csv --histograms --arenas 1

cat >"$tmp/again.c" <<'END'
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	void *volatile object;

	for (unsigned i = 0; i < 300; i++)
		object = malloc(i * 100);
	(void)object;
	/* At first until it is being watched. */
	while (argc == 1 && access(getenv("WATCHED"), F_OK))
		usleep(1000);
	usleep(1000);
	return execl(argv[0], argv[0], "again", (char *)NULL);
}
END
$CC -O1 -o "$tmp/again" "$tmp/again.c" || exit 99
WATCHED=$tmp/watched LD_PRELOAD=$liballoc "$tmp/again" &
pid=$!
while ! jestat $pid >"$tmp/ignored" 2>&1; do
	sleep 0.05
done
(
	sleep 0.3
	: >"$tmp/watched"
) &
runs 0 'a process that begins anew again and again' jestat $pid 0.01 300
lacks 'is not lost' 'lost|ended' "$tmp/err"
kill $pid
wait $pid 2>"$tmp/ignored"

start
# The reader leaves after the header; the writer must end, and say so.
(jestat $pid 0.05 2>"$tmp/err"; echo $? >"$tmp/status") | head -n 1 >"$tmp/out"
result "$([ "$(cat "$tmp/status")" -eq 2 ]; echo $?)" 'a closed pipe ends it'
matches 'and is told' '^jestat: cannot write standard output: Broken pipe$' "$tmp/err"
runs 2 'a full device' sh -c "jestat $pid >/dev/full"
matches 'is an error' 'standard output.*No space left' "$tmp/err"
exec 3>&-
wait
