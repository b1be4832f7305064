# SPDX-License-Identifier: BSD-2-Clause
# jeheapdiff on a process that grows by a known amount, and on its man page's
# examples.
. "$top_srcdir/tests/tap/tap.sh"

command -v python3 >"$tmp/which" || skip_all 'python3 is not here'
plan 14

# Each line of input makes it keep 40 MiB more, in blocks of 4000 bytes.
cat >"$tmp/server.py" <<'END'
import sys
kept = []
print("ready", flush=True)
for line in sys.stdin:
    kept.append([bytearray(4000) for i in range(10486)])
    print("grown", flush=True)
END
mkfifo "$tmp/in"
PYTHONMALLOC=malloc LD_PRELOAD=$liballoc python3 "$tmp/server.py" \
	<"$tmp/in" >"$tmp/said" 2>"$tmp/server.err" &
pid=$!
exec 3>"$tmp/in"

wait_for() {
	tries=0
	while [ "$(grep -c "$1" "$tmp/said")" -lt "$2" ] &&
		[ $tries -lt 200 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
}

mkdir "$tmp/bin" "$tmp/play"
printf '#!/bin/sh\necho %s\n' $pid >"$tmp/bin/pidof"
chmod +x "$tmp/bin/pidof"
PATH=$tmp/bin:$PATH
cd "$tmp/play" || exit 99
wait_for ready 1
ok 'a process as a profile' jeprof --pprof -o monday.heap $pid
echo more >&3
wait_for grown 1
ok 'and later' jeprof --pprof -o friday.heap $pid
ok 'what grew' jeheapdiff --json monday.heap friday.heap
python3 - "$tmp/out" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
row = d["rows"][0]
grown = row["change"] - 10486 * 4000
print("#", row["name"], row["change"], "+-", row["standard_error"])
sys.exit(not (abs(grown) < 5 * row["standard_error"] and
              row["verdict"] in ("grew", "new")))
END
result $? 'is the 40 MiB that it kept, within five standard errors'
matches 'files of one process are known as such' \
	'"relation": "same process"' "$tmp/out"

(sleep 0.3; echo more >&3) &
writer=$!
ok 'within seconds' jeheapdiff --seconds=3 --fdr=0.001 $pid
matches 'it is known as one process' 'the same process, 3\.[0-9]+ s apart' "$tmp/out"
matches 'and as grown' ' grew .* < ' "$tmp/out"
wait $writer
ok 'the file and the process' jeheapdiff --json friday.heap $pid
matches 'too' '"relation": "same process"' "$tmp/out"
ok 'a quiet process' jeheapdiff --seconds=0.1 $pid
matches 'has not changed' ' 0 B +0 B +unchanged +total$' "$tmp/out"

sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$top_srcdir/man/jeheapdiff.1" |
	sed -n 's/\\-/-/g; s/^\(jeheapdiff .*\)$/\1/p' |
	sed 's/seconds=10/seconds=0.1/' >../examples
result "$([ "$(wc -l <../examples)" -ge 5 ]; echo $?)" 'there are examples'
ok 'they run' sh -e ../examples
exec 3>&-
wait
