# SPDX-License-Identifier: BSD-2-Clause
# jeheapdiff on pairs of dumps whose true changes are known.
. "$top_srcdir/tests/tap/tap.sh"
. "$top_srcdir/tests/cli/jeheapdiff/dump.sh"
plan 47

programs=$top_builddir/tests/cli/jeheapdiff
lg_period=19 seconds=100 pid=77
program=$programs/subject_old base=$((0x555555550000))

before() {
	echo '112 40 50 leak_session handle_payment main'
	echo '8192 30 300 fill_cache handle_payment main'
	echo '65536 8 60 make_report handle_payment main'
	echo '65536 3 3 make_report main'
	echo '4194304 2 2 fill_cache main'
}

after() {
	echo '112 95 105 leak_session handle_payment main'
	echo '8192 33 310 fill_cache handle_payment main'
	echo '65536 8 61 make_report handle_payment main'
	echo '65536 3 3 make_report main'
	echo '4194304 0 2 fill_cache main'
	echo '4194304 2 2 main'
}

before | write_dump >"$tmp/a.heap"
(seconds=160 && after | write_dump >"$tmp/b.heap")
(pid=78 base=$((0x7f1234560000)) && after | write_dump >"$tmp/c.heap")
cd "$tmp" || exit 99

# 40 samples of 112 bytes stand for 40 * 112 / (1 - exp(-112 / 2^19)).
ok 'one process' jeheapdiff a.heap b.heap
matches 'known as one, and how far apart' 'a.heap -> b.heap: inuse_space, the same process, 1m 00s apart; one sample per 512 KiB' out
matches 'what grew, with its callers' '^20\.0 MiB +47\.5 MiB +\+27\.5 MiB +3\.71 MiB +grew +leak_session < handle_payment < main$' out
matches 'what is new' ' 0 B +8\.00 MiB +\+8\.00 MiB +106 KiB +new +main$' out
matches 'what shrank' '^23\.1 MiB +16\.6 MiB +-6\.49 MiB .* shrank +fill_cache < ' out
lacks 'noise is left out' 'make_report' out
matches 'and counted' '^1 row is within sampling noise \(false discovery rate 5\.0%\); --all shows them$' out

ok 'the same from another run' jeheapdiff a.heap c.heap
matches 'is another process' ': inuse_space, another process' out
# All 135 samples count: sqrt(135) * 512 KiB.
matches 'with a larger error, for nothing cancels' '^20\.0 MiB +47\.5 MiB +\+27\.5 MiB +5\.81 MiB +grew +leak_session' out

ok 'all rows' jeheapdiff --all a.heap b.heap
matches 'noise too' ' noise +make_report' out
ok 'as stacks' jeheapdiff --all --by=stack a.heap b.heap
matches 'the leaf with its line' ' grew +leak_session .*subject\.c:[0-9]+$' out
matches 'a caller below it' '^ +handle_payment .*subject\.c:[0-9]+$' out
matches 'a stack that stood still' ' unchanged +make_report' out
result "$([ "$(grep -c 'make_report .*subject' out)" -eq 2 ]; echo $?)" \
	'one row for each stack'
ok 'with callees' jeheapdiff --cum --all a.heap b.heap
matches 'the sum stands at the root' '^49\.0 MiB +78\.0 MiB .* grew +main$' out
ok 'by file' jeheapdiff --by=file --all a.heap b.heap
matches 'has one row' ' \+29\.0 MiB .*subject\.c$' out
ok 'objects' jeheapdiff --inuse_objects a.heap b.heap
matches 'are counted' '^187266 +444756 +\+257490 +34716 +grew +leak_session' out
ok 'allocations' jeheapdiff --alloc_space --show_bytes a.heap b.heap
matches 'are all real within one process' ' grew +fill_cache' out
ok 'a focus' jeheapdiff --focus=fill_cache a.heap b.heap
lacks 'leaves the others out' 'leak_session' out
ok 'a focus on nothing' jeheapdiff --focus=nothing_at_all a.heap b.heap
matches 'warns' 'warning: neither profile has a stack that --focus' err

ok 'folded stacks' jeheapdiff --collapsed a.heap c.heap
cat >want <<'END'
main 0 8391423
main;fill_cache 8391423 0
main;handle_payment;fill_cache 15851840 17437024
main;handle_payment;leak_session 20973760 49812680
main;handle_payment;make_report 4461908 4461908
main;make_report 1673215 1673215
END
same 'hold both values' want out
ok 'JSON' jeheapdiff --json a.heap c.heap
matches 'names the relation' '"relation": "another process"' out
matches 'and the verdicts' '"verdict": "new"' out

runs 1 'the gate closes on growth' jeheapdiff --fail-above=10M a.heap b.heap
matches 'names what it was' '^jeheapdiff: leak_session: \+27\.5 MiB \+- 3\.71 MiB, above 10M$' err
lacks 'and only that' 'jeheapdiff: main' err
runs 0 'it stays open below' jeheapdiff --fail-above=1G a.heap b.heap
runs 0 'noise does not close it' \
	jeheapdiff --fail-above=0 --focus=make_report a.heap b.heap

# The program under one name, rebuilt: only names can match.
mkdir -p old/srv new/srv
cp "$programs/subject_old" old/srv/server
cp "$programs/subject_new" new/srv/server
for build in old new; do
	(program=$tmp/$build/srv/server
	$( [ $build = old ] && echo before || echo after) | write_dump |
		sed "s,$tmp/$build,," >$build.heap)
done
ok 'two builds of a program' \
	jeheapdiff --all "--lib_prefix=$tmp/old,$tmp/new" old.heap new.heap
matches 'match by names' '^20\.0 MiB +47\.5 MiB +\+27\.5 MiB .* grew +leak_session < handle_payment' out
matches 'which is said' '^1 file was rebuilt in between' out
ok 'two builds without names' jeheapdiff old.heap new.heap
matches 'cannot be matched' ' gone +server\+0x' out
matches 'and say so' 'of rebuilt files without a name cannot be matched' out
ok 'one process, taken for two' jeheapdiff --other-process a.heap b.heap
matches 'has the larger error' '\+27\.5 MiB +5\.81 MiB +grew' out
