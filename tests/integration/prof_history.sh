#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The log of freed samples and the recent allocations: their JSON, what is in
# it, its bounds, forks; functions of the program's that allocate meanwhile.
. "$top_srcdir/tests/tap/tap.sh"

command -v python3 >"$tmp/which" || skip_all 'python3 is not here'
plan 24

$CC -g -O1 -I"$top_srcdir/liballoc/include" \
	"$top_srcdir/tests/integration/prof/history.c" -o "$tmp/history" \
	"$liballoc" -lpthread -Wl,-rpath,"$top_builddir/liballoc/.libs" ||
	exit 99
cd "$tmp" || exit 99

# history CONF WHAT
history() {
	MALLOC_CONF=lg_prof_sample:0,prof_prefix:p,$1 timeout 100 \
		./history "$2" "$tmp/json"
}

# says KIND FILE: what the JSON has, in $tmp/said.
says() {
	(cat "$2"; echo) | sed '/^$/d' |
		python3 "$top_srcdir/tests/integration/prof/history.py" "$1" >said
}

ok 'a log' history prof:true logged
ok '  is what jemalloc writes, with mappings' says log json
cat >want <<-END
	1024 alice -> alice
	2048 alice -> bob "the" other
	dropped 0
END
grep -v '^[0-9]* .* -> $' said >named
same '  and has who freed what' want named
ok 'a log in little memory' history prof_ledger_bytes:1048576 bounded
ok '  is written' says log json
matches '  has what found room, and counts the rest' \
	'^many True True 400[0-9][0-9]$' said
ok 'a log with a reset' history prof:true reset
says log json
matches '  has what came after' '^2048 ' said
lacks '  and not what came before' '^1024 ' said
ok 'a log around a fork' history prof:true forked
says log json
matches '  is of the parent' '^1024 ' said
ok 'a resolution of times' history prof_time_resolution:high logged
matches '  is told, as jemalloc does' '"prof_time_resolution":"high"' json
ok 'prof_log' history prof_log:true automatic
set -- p.*.[01].json
result "$([ $# -eq 2 ]; echo $?)" '  has each process write one at exit'
grep -hc '"usize":2048' p.*.json | sort >counts
result "$([ "$(tr '\n' ' ' <counts)" = '0 1 ' ]; echo $?)" \
	'  the child what it freed'

rm -f json
ok 'recent allocations' history prof_recent_alloc_max:4 recent
ok '  are what jemalloc writes, with mappings' says recent json
cat >want <<-END
	max 4 interval 1
	2000 2048 False alice
	3000 3072 True alice bob "the" other
	5000 5120 False alice
END
# A thread costs an allocation of libc's.
sed -n 1,5p said | grep -E '^(max|[0-9]000) ' >first
same '  the latest ones, and what became of them' want first
[ "$(grep -c '^7000 7168 False alice' said)" -ge 12 ] &&
	[ "$(sed -n '/^max 2/,/^max 0/p' said | grep -c '^7000')" -eq 2 ] &&
	[ "$(sed -n '/^max 0/,$p' said | wc -l)" -eq 1 ]
result $? '  without a maximum all, then two, then none'
ok 'logs, dumps, resets and forks while threads allocate' \
	history prof_recent_alloc_max:100 storm
ok '  leave a log that is whole' says log json

shape() {
	MALLOC_CONF=prof:true,lg_prof_sample:0 LD_PRELOAD=$1 timeout 100 \
		python3 "$top_srcdir/tests/integration/prof/shape.py" shape.json
}

ok 'keys and types' shape "$liballoc"
cp out ours
if LD_PRELOAD=libjemalloc.so.2 true 2>stderr && ! [ -s stderr ]; then
	shape libjemalloc.so.2 >theirs 2>stderr
	same '  are those that jemalloc writes' theirs ours
else
	skip '  are those that jemalloc writes' 'it is not installed'
fi
