# SPDX-License-Identifier: BSD-2-Clause
# The examples of the man page run, on a real process: python on liballoc.
. "$top_srcdir/tests/tap/tap.sh"

command -v python3 >"$tmp/which" || skip_all 'python3 is not here'
plan 12

# Allocates about 50 MiB a second until its input ends.
cat >"$tmp/server.py" <<'END'
import select, sys
kept = []
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.01)[0]:
    kept = [bytearray(20000) for i in range(25)]
END
mkfifo "$tmp/in"
MALLOC_CONF=prof_control:true PYTHONMALLOC=malloc LD_PRELOAD=$liballoc python3 "$tmp/server.py" \
	<"$tmp/in" >"$tmp/ready" 2>"$tmp/server.err" &
pid=$!
exec 3>"$tmp/in"
tries=0
while ! grep -q ready "$tmp/ready" && [ $tries -lt 200 ]; do
	tries=$((tries + 1))
	sleep 0.1
done

mkdir "$tmp/bin" "$tmp/play"
printf '#!/bin/sh\necho %s\n' $pid >"$tmp/bin/pidof"
chmod +x "$tmp/bin/pidof"
PATH=$tmp/bin:$PATH
cd "$tmp/play" || exit 99

# Those without an end are given one.
sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$top_srcdir/man/jestat.1" |
	sed -n 's/\\-/-/g; s/^\(jestat .*\)$/\1/p' |
	sed 's/) 1$/) 0.2 3/; s/) 10$/) 0.2 2/' >../examples
result "$([ "$(wc -l <../examples)" -ge 6 ]; echo $?)" 'there are examples'
ok 'they run' sh -e ../examples
result "$([ "$(wc -l <server.csv)" -eq 11 ]; echo $?)" 'ten rows of CSV'

ok 'rows of a busy process' jestat --csv $pid 0.5 5
# Columns: 3 allocated, 4 active, 5 resident, 6 rss, 10 bytes_per_second.
awk -F, 'NR > 1 && !(0 < $3 && $3 <= $4 && $4 <= $5)' ../out >odd
same 'allocated <= active <= resident' /dev/null odd
awk -F, 'NR > 2 { sum += $11 } END { print sum / 4 }' ../out >mean
awk '{ exit !($1 > 5e6 && $1 < 1e8) }' mean
result $? "about 50 MB a second ($(cat mean))"
ok 'the same by metric' jestat --json $pid
matches 'has what liballoc describes' '"thread_totals":\{"allocated":[0-9]+,"deallocated":[0-9]+,"nmalloc":[0-9]+' ../out

(sleep 0.7; kill -9 $pid) &
killer=$!
runs 0 'killed while it is watched' jestat $pid 0.2
matches 'it gets a last word' "^jestat: process $pid \\(python3\\) has ended\$" ../err
result "$([ "$(wc -l <../out)" -ge 3 ]; echo $?)" 'after some rows'
wait $killer
exec 3>&-
wait $pid 2>ignored
same 'the program had nothing to say' /dev/null ../server.err
