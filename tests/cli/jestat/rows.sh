# SPDX-License-Identifier: BSD-2-Clause
# What jestat prints of a process whose ledger is known to the byte.
. "$top_srcdir/tests/tap/tap.sh"
plan 33

# The ledger says that its process is 10 seconds old.
mkfifo "$tmp/in"
"$top_builddir/tests/cli/jestat/fake_ledger" 10 <"$tmp/in" >"$tmp/ready" &
pid=$!
exec 3>"$tmp/in"
tries=0
while ! grep -q ready "$tmp/ready" && [ $tries -lt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done

ok 'one row' jestat $pid
matches 'a header' '^ +allocated +active +resident +RSS +dirty +metadata +frag +mallocs/s +bytes/s +threads$' "$tmp/out"
matches 'its gauges, and fragmentation' '^ +3\.00 MiB +4\.00 MiB +5\.50 MiB .* 1\.00 MiB +512 KiB +25\.0% ' "$tmp/out"
lacks 'no colour in a file' "$(printf '\033')" "$tmp/out"
ok 'plain bytes' jestat --bytes $pid
matches 'are plain' '^ +3145728 +4194304 +5767168 ' "$tmp/out"

ok 'three rows' jestat $pid 0.05 3
result "$([ "$(wc -l <"$tmp/out")" -eq 4 ]; echo $?)" 'below one header'
result "$([ "$(grep -cE ' 0 +0 B +1$' "$tmp/out")" -eq 2 ]; echo $?)" \
	'the first row has the rate since the start, the others have none'

ok 'CSV' jestat --csv $pid
matches 'with names' '^time,pid,allocated,active,resident,rss,dirty,metadata,fragmentation,mallocs_per_second,bytes_per_second,threads$' "$tmp/out"
matches 'and bytes' "^20[0-9T:.-]*Z,$pid,3145728,4194304,5767168,[0-9]+,1048576,524288,0\.250000,[0-9]+,[0-9]+,1$" "$tmp/out"

# 5000 allocations in 10 seconds and the moment since then.
ok 'JSON' jestat --json --arenas --bins $pid
matches 'on one line' '^\{"time":"20[^"]*Z","pid":'"$pid"',"command":"fake_ledger","liballoc":"99\.1","snapshot":false,"since_start":true,"allocated":3145728,.*\}$' "$tmp/out"
rate=$(sed 's/.*"mallocs_per_second":\([0-9]*\).*/\1/' "$tmp/out")
result "$([ "$rate" -le 500 ] && [ "$rate" -ge 250 ]; echo $?)" \
	"a rate since the start ($rate)"
matches 'a metric that this jestat does not know' '"process":\{[^}]*"moon_phase":7' "$tmp/out"
matches 'a histogram' '"sizes_seen":\[1,2,3\]' "$tmp/out"
matches 'sums over arenas' '"arena_totals":\{"small_allocated":1048576,"large_allocated":2097152' "$tmp/out"
matches 'each arena, and a time that is never' '"arenas":\[\{"index":0,.*\{"index":1,[^}]*"dirty_decay_ms":-1' "$tmp/out"
matches 'each size class' '"bins":\[\{"size":64,"regions_per_slab":64,"slab_bytes":4096,"nmalloc":164,"ndalloc":36' "$tmp/out"

ok 'size classes' jestat --bins $pid
matches 'summed over the arenas' '^ +64 B +8\.00 KiB +128 +4 +- +4\.00 KiB +50\.0% +164 +36 ' "$tmp/out"
ok 'arenas' jestat --arenas $pid
matches 'with their own fragmentation' '^ +0 +- +2\.00 MiB +3\.00 MiB +33\.3% +1\.00 MiB +- +8\.00 MiB' "$tmp/out"

ok 'histograms' jestat --histograms $pid
matches 'with their help' '^sizes_seen: made up, 6 in all$' "$tmp/out"
matches 'a bucket a line' '^   2     4      2  33\.3%  #{27}$' "$tmp/out"
matches 'the last one has no end' '^   4  more      3  50\.0%  #{40}$' "$tmp/out"
ok 'as CSV' jestat --csv --histograms $pid
matches 'with numbers' '^sizes_seen,0,2,1$' "$tmp/out"

ok 'a list of processes' jestat ps
matches 'has it' "^ *$pid +[^ ].* 3\.00 MiB +25\.0% +1 .* fake_ledger$" "$tmp/out"
ok 'and as JSON' sh -c "jestat --json ps | grep -q '\"pid\":$pid,'"

exec 3>&-
wait
