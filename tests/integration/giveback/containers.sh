#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Control groups: limits of memory and CPU from a tree of files made here, of
# version 1 and 2, nested, changed, damaged; and a real one where one can be
# made.
. "$top_srcdir/tests/tap/tap.sh"
grow=$top_builddir/tests/integration/giveback/grow
plan 36

# tree NAME: an empty one, into $root.
tree() {
	root=$tmp/$1
	mkdir -p "$root/proc/self" "$root/cg"
}

# v2 PATH: the process is in that group of a version 2 tree.
v2() {
	echo "0::$1" >"$root/proc/self/cgroup"
	echo '30 23 0:26 / /cg rw,nosuid shared:4 - cgroup2 cgroup2 rw' \
		>"$root/proc/self/mountinfo"
	mkdir -p "$root/cg$1"
}

# put FILE TEXT
put() {
	mkdir -p "$root/${1%/*}"
	printf '%s\n' "$2" >"$root/$1"
}

# in_tree DESCRIPTION EXPECTED ARGUMENT...: what grow prints.
in_tree() {
	what=$1
	printf '%b' "$2" >"$tmp/want"
	shift 2
	MALLOC_CONF=cgroup_root:$root LD_PRELOAD=$liballoc "$grow" "$@" \
		>"$tmp/got" 2>&1
	same "$what" "$tmp/want" "$tmp/got"
}

limit=stats.memory_limit

tree v2
v2 /a/b
put cg/a/b/memory.max max
put cg/a/b/memory.current 4194304
put cg/a/memory.max 1073741824
put cg/a/memory.current 8388608
in_tree 'a limit of a group above counts' "$limit 1073741824
stats.memory_usage 8388608\n" fill:16 $limit stats.memory_usage
put cg/a/b/memory.high 536870912
in_tree 'memory.high as well' "$limit 536870912\n" fill:16 $limit
in_tree 'far from it nothing is done' 'stats.eager_purges 0\n' fill:16 \
	stats.eager_purges
in_tree 'a limit that changes is read again' "$limit 536870912
$limit 268435456\n" fill:16 $limit \
	"write:$root/cg/a/b/memory.high=268435456" fill:16 $limit

put cg/a/b/memory.high 536870912
put cg/a/b/memory.current 510000000
MALLOC_CONF=cgroup_root:$root LD_PRELOAD=$liballoc "$grow" fill:16 \
	stats.eager_purges stats.dirty_limit >"$tmp/got"
matches 'near it all free pages go' 'eager_purges [1-9]' "$tmp/got"
matches 'and few may wait' '^stats.dirty_limit 1048576$' "$tmp/got"
put cg/a/b/memory.stat 'anon 1000
inactive_file 200000000
active_file 100000000'
in_tree 'the page cache does not count' 'stats.eager_purges 0
stats.memory_usage 210000000\n' fill:16 stats.eager_purges stats.memory_usage
put cg/a/b/memory.current 1000000
put cg/a/b/memory.pressure 'some avg10=35.27 avg60=1.00 avg300=0.00 total=9'
MALLOC_CONF=cgroup_root:$root LD_PRELOAD=$liballoc "$grow" fill:16 \
	stats.memory_pressure stats.eager_purges >"$tmp/got"
matches 'the pressure is read' '^stats.memory_pressure 3527$' "$tmp/got"
matches 'and gives back too' 'eager_purges [1-9]' "$tmp/got"

tree v1
cat >"$root/proc/self/cgroup" <<-EOT
	4:memory:/docker/x
	3:cpu,cpuacct:/docker/x
	0::/
EOT
cat >"$root/proc/self/mountinfo" <<-EOT
	31 23 0:28 / /cg rw - tmpfs tmpfs rw,mode=755
	32 31 0:29 / /cg/cpu\\040x rw - cgroup cgroup rw,cpu,cpuacct
	35 31 0:32 /docker/x /cg/memory rw master:9 - cgroup cgroup rw,memory
	41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw
EOT
put cg/memory/memory.limit_in_bytes 134217728
put cg/memory/memory.usage_in_bytes 4194304
in_tree 'version 1, in a namespace, beside a version 2' "$limit 134217728\n" \
	fill:16 $limit
put cg/memory/memory.limit_in_bytes 9223372036854771712
in_tree 'no limit of version 1' "$limit 0\n" fill:16 $limit

# One arena for every two CPUs, of which the tree says how many are there.
put sys/devices/system/cpu/online 0-3,6,8-10
put 'cg/cpu x/docker/x/cpu.cfs_quota_us' -1
put 'cg/cpu x/docker/x/cpu.cfs_period_us' 100000
in_tree 'no quota: an arena for every two CPUs' 'opt.narenas 4\n' opt.narenas
put 'cg/cpu x/docker/x/cpu.cfs_quota_us' 50000
in_tree 'half a CPU: one' 'opt.narenas 1\n' opt.narenas
put 'cg/cpu x/docker/x/cpu.cfs_quota_us' 9000000
in_tree 'more than there are: as many as there are' 'opt.narenas 4\n' \
	opt.narenas
tree cpu
v2 /a/b
put sys/devices/system/cpu/online 0-15
put cg/a/cpu.max '100000 100000'
put cg/a/b/cpu.max 'max 100000'
in_tree 'a quota of version 2 above' 'opt.narenas 1\n' opt.narenas
put cg/a/cpu.max '210000 100000'
in_tree 'and a little more than two' 'opt.narenas 2\n' opt.narenas
real=$((($(nproc) + 1) / 2))
put cg/a/cpu.max 'max 100000'
for text in '' 'garbage' '3-1' '0-99999999999999999999' '-4' '1-'; do
	put sys/devices/system/cpu/online "$text"
	in_tree "\"$text\" counts no CPUs" "opt.narenas $real\n" opt.narenas
done

# Damage of all kinds is no limit, and no crash.
tree bad
for text in '' 'garbage' '-5' 99999999999999999999999 '0x10'; do
	v2 /a
	put cg/a/memory.max "$text"
	put cg/a/memory.current "$text"
	put cg/a/cpu.max "$text"
	runs 0 "a limit of \"$text\"" env "MALLOC_CONF=cgroup_root:$root" \
		"LD_PRELOAD=$liballoc" "$grow" fill:16
done
head -c 300000 /dev/zero | tr '\0' a >"$root/proc/self/mountinfo"
in_tree 'a line without end' "$limit 0\n" fill:16 $limit
head -c 300000 /dev/urandom >"$root/proc/self/mountinfo"
in_tree 'random bytes' "$limit 0\n" fill:16 $limit
v2 /../../x
in_tree 'a path out of the namespace' "$limit 0\n" fill:16 $limit
v2 "/$(head -c 3000 /dev/zero | tr '\0' /)"
in_tree 'a path too long' "$limit 0\n" fill:16 $limit
root=$tmp/none
in_tree 'nothing there' "$limit 0\n" fill:16 $limit

MALLOC_CONF=memory_limit:33554432 LD_PRELOAD=$liballoc "$grow" fill:31 \
	stats.eager_purges $limit >"$tmp/got"
matches 'an own limit' '^stats.memory_limit 33554432$' "$tmp/got"
matches 'is kept in mind' 'eager_purges [1-9]' "$tmp/got"

# A real one: 64 MiB, a program that fits only if it gives back.
own=$(sed -n 's/^[0-9]*:memory:/\/sys\/fs\/cgroup\/memory/p' /proc/self/cgroup)
group=${own%/}/liballoc-test-$$
if [ -n "$own" ] && mkdir "$group" 2>/dev/null &&
	echo 67108864 >"$group/memory.limit_in_bytes" 2>/dev/null; then
	(
		sh -c 'echo $$ >"$1/cgroup.procs" || exit 9
			LD_PRELOAD=$2 MALLOC_CONF=dirty_limit:-1 exec "$3" \
				fill:50 stats.memory_limit stats.eager_purges' \
			sh "$group" "$liballoc" "$grow"
	) >"$tmp/got" 2>&1
	matches 'in a real group of 64 MiB it gives back in time' \
		'eager_purges [1-9]' "$tmp/got"
	matches 'and knows the limit' '^stats.memory_limit 67108864$' "$tmp/got"
	rmdir "$group"
else
	rmdir "$group" 2>/dev/null
	skip 'in a real group' 'none can be made here'
	skip 'and knows the limit' 'none can be made here'
fi
