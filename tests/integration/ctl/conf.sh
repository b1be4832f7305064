#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Options reach a program from each source, and what is wrong with them is
# said, in a process of its own.
. "$top_srcdir/tests/tap/tap.sh"

program=$top_builddir/tests/integration/ctl/conf_program
static=$top_builddir/tests/integration/ctl/conf_static

plan 26

# with CONF COMMAND...: on liballoc, under those options.
with() {
	conf=$1
	shift
	MALLOC_CONF=$conf LD_PRELOAD=$liballoc "$@"
}

if [ -e /etc/malloc.conf ] || [ -L /etc/malloc.conf ]; then
	skip 'the variable malloc_conf' '/etc/malloc.conf is there'
	skip 'and in a static program' '/etc/malloc.conf is there'
else
	echo '3 20 10000' >"$tmp/want"
	"$program" >"$tmp/out" 2>&1
	same 'the variable malloc_conf' "$tmp/want" "$tmp/out"
	"$static" >"$tmp/out" 2>&1
	same 'and in a static program' "$tmp/want" "$tmp/out"
fi

echo '5 20 7' >"$tmp/want"
MALLOC_CONF=narenas:5,dirty_decay_ms:7 "$program" >"$tmp/out" 2>&1
same 'MALLOC_CONF wins over it' "$tmp/want" "$tmp/out"
MALLOC_CONF=narenas:5,dirty_decay_ms:7 "$static" >"$tmp/out" 2>&1
same 'in a static program too' "$tmp/want" "$tmp/out"

cp "$static" "$tmp/setuid"
if chown 65534 "$tmp/setuid" 2>/dev/null && chmod 4755 "$tmp/setuid" &&
	[ "$(id -u)" -eq 0 ] && ! findmnt -no OPTIONS -T "$tmp" | grep -q nosuid
then
	MALLOC_CONF=narenas:5,junk "$tmp/setuid" >"$tmp/out" 2>&1
	lacks 'MALLOC_CONF is not read with more rights than the user' \
		'^5 |liballoc' "$tmp/out"
else
	skip 'MALLOC_CONF is not read with more rights than the user' \
		'needs root and a file system with set-user-ID'
fi

runs 0 'a program runs on in spite of bad options' \
	with 'nonsense:1,prof:maybe,narenas:0,lg_prof_interval:99' "$program"
matches 'an unknown one is reported' \
	'^<liballoc>: Invalid conf pair: nonsense:1$' "$tmp/err"
matches 'a malformed one' '^<liballoc>: Invalid conf value: prof:maybe$' \
	"$tmp/err"
matches 'one out of range' \
	'^<liballoc>: Out-of-range conf value: lg_prof_interval:99$' "$tmp/err"
matches 'and the good ones hold' '^3 20 10000$' "$tmp/out"

runs 0 'garbage is no option' with "$(printf '\001\377%%n,,::')" "$program"
matches 'and is reported' '^<liballoc>: Malformed conf string$' "$tmp/err"
runs 0 'nor is a megabyte of it' \
	with "$(head -c 100000 /dev/zero | tr '\0' a)" "$program"

(
	ulimit -c 0
	with 'narenas:2,abort_conf:true,narenas:no' "$program"
) >"$tmp/out" 2>"$tmp/err"
[ $? -eq 134 ]
result $? 'abort_conf:true ends the program'
matches 'and says why' '^<liballoc>: Abort' "$tmp/err"
matches 'after what was wrong' \
	'^<liballoc>: Invalid conf value: narenas:no$' "$tmp/err"

runs 0 'a profile that cannot be written is a warning' \
	with 'prof_final:true,prof_prefix:/nowhere/x' "$program"
matches 'which is given' '^<liballoc>: cannot write the profile /nowhere/x' \
	"$tmp/err"
(
	ulimit -c 0
	with 'abort:true,prof_final:true,prof_prefix:/nowhere/x' "$program"
) >"$tmp/out" 2>"$tmp/err"
[ $? -eq 134 ]
result $? 'and with abort:true ends the program'

runs 0 'confirm_conf:true is heard' \
	with 'narenas:2,confirm_conf:true' "$program"
matches 'and says what was set' \
	'^<liballoc>: -- Set conf value: narenas:2$' "$tmp/err"
matches 'by whom' '^<liballoc>: malloc_conf \(the environment variable ' \
	"$tmp/err"
runs 0 'options of jemalloc without effect pass in silence' \
	with 'background_thread:false,metadata_thp:auto,tcache_nslots_large:9' \
	test ! -s "$tmp/nothing"

# advised CONF: the KiB mapped that are to have huge pages, and to have none.
advised() {
	with "$1" awk '$1 == "Size:" { size = $2 }
		/^VmFlags:.* hg( |$)/ { huge += size }
		/^VmFlags:.* nh( |$)/ { none += size }
		END { print huge + 0, none + 0 }' /proc/self/smaps
}

what='the kernel is not asked for huge pages'
if [ ! -e /sys/kernel/mm/transparent_hugepage/enabled ]; then
	skip "$what" 'there are none'
	skip 'thp:always asks for them' 'there are none'
	skip 'thp:never asks for none' 'there are none'
else
	advised prof:true >"$tmp/default"
	advised thp:always >"$tmp/always"
	advised thp:never >"$tmp/never"
	[ "$(cut -d' ' -f1 "$tmp/default")" -eq 0 ]
	result $? "$what"
	[ "$(cut -d' ' -f1 "$tmp/always")" -gt 0 ]
	result $? 'thp:always asks for them'
	[ "$(cut -d' ' -f2 "$tmp/never")" -gt "$(cut -d' ' -f2 "$tmp/default")" ]
	result $? 'thp:never asks for none'
fi
