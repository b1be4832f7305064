# SPDX-License-Identifier: BSD-2-Clause
# What jeheapdiff refuses, and how it says so; pictures; outputs that fail.
. "$top_srcdir/tests/tap/tap.sh"
. "$top_srcdir/tests/cli/jeheapdiff/dump.sh"
plan 32

lg_period=19 seconds=100 pid=77
program=$top_builddir/tests/cli/jeheapdiff/subject_old
base=$((0x555555550000))
echo '112 40 50 leak_session main' | write_dump >"$tmp/a.heap"
echo '112 90 100 leak_session main' | write_dump >"$tmp/b.heap"
cd "$tmp" || exit 99

runs 2 'no profile' jeheapdiff
matches 'shows how' 'jeheapdiff OLD NEW' err
runs 2 'one profile' jeheapdiff a.heap
runs 2 'three profiles' jeheapdiff a.heap b.heap a.heap
runs 2 'a file that is not there' jeheapdiff a.heap nowhere.heap
matches 'is named' 'nowhere\.heap: No such file' err
lacks 'nothing is printed' '.' out
: >empty.heap
runs 2 'an empty file' jeheapdiff empty.heap b.heap
matches 'is named too' 'empty\.heap' err
sed 's/^@ 0x/@ zz/' b.heap >garbled.heap
runs 2 'a garbled file' jeheapdiff a.heap garbled.heap
matches 'is named with a line' 'garbled\.heap:[0-9]+: ' err
runs 2 'a process that is not there' jeheapdiff a.heap 999999999
runs 2 'standard input twice' jeheapdiff - -
runs 2 'rows of no kind' jeheapdiff --by=colour a.heap b.heap
runs 2 'a rate of alarms that is none' jeheapdiff --fdr=1.5 a.heap b.heap
runs 2 'a limit that is no size' jeheapdiff --fail-above=much a.heap b.heap
runs 2 'a regular expression that is none' \
	jeheapdiff '--focus=[' a.heap b.heap
runs 2 'two rows of stacks' jeheapdiff --cum --by=stack a.heap b.heap
runs 2 'seconds of a file' jeheapdiff --seconds=1 a.heap
sed 's/\[[^]]*\]/[0: 0]/; s/^\(# t0:.*\) [0-9]* [0-9]*$/\1 0 0/' a.heap >noaccum.heap
runs 2 'allocations that were not recorded' \
	jeheapdiff --alloc_space noaccum.heap b.heap
matches 'the remedy is told' 'prof_accum:true' err

ok 'a flame graph' jeheapdiff -o d.html a.heap b.heap
matches 'is HTML' '<html' d.html
ok 'a picture' jeheapdiff -o d.svg a.heap b.heap
matches 'has the function' 'leak_session' d.svg
ok 'a PNG' jeheapdiff --png -o d.png a.heap b.heap
result "$([ "$(head -c 4 d.png | tail -c 3)" = PNG ]; echo $?)" 'is one'
ok 'a graph' jeheapdiff --dot a.heap b.heap
matches 'is one of the difference' 'Difference' out
runs 2 'a folder that is not there' jeheapdiff -o nowhere/d.svg a.heap b.heap
runs 2 'a full device' sh -c 'jeheapdiff a.heap b.heap >/dev/full'
(jeheapdiff - b.heap <a.heap >out 2>err)
matches 'a profile from standard input' ' grew +leak_session' out
