#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# liballoc under jemalloc's names, as --enable-jemalloc-names installs it: a
# program written for jemalloc builds by pkg-config and runs; its header means
# the same as jemalloc's own; and Debian's redis-server, which was built
# against jemalloc, runs on it and reports right figures under load.
. "$top_srcdir/tests/tap/tap.sh"
here=$top_srcdir/tests/integration/jemalloc

# Where it was installed: DESTDIR before the prefix that it was built for.
install() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$top_builddir" \
		DESTDIR="$tmp/prefix" includedir=/include libdir=/lib \
		pkgconfigdir=/pc "$@"
}

command -v pkg-config >/dev/null || skip_all 'pkg-config is not installed'
plan 35

# With -j, a second make that installs them writes over what the first maps:
# where these names are configured, their hook did that.
once() {
	[ "$(install -n install | grep -c 'mode=install .* \$list2 "')" -eq 1 ]
}
ok 'make install installs the libraries once' once
ok 'it installs' install install-libLTLIBRARIES \
	install-liballocincludeHEADERS install-pkgconfigDATA \
	install-jemalloc-names
lib=$tmp/prefix/lib
ok 'with libjemalloc.so.2' test -e "$lib/libjemalloc.so.2"
flags=$(PKG_CONFIG_PATH="$tmp/prefix/pc" pkg-config --define-variable=libdir="$lib" \
	--define-variable=includedir="$tmp/prefix/include" --cflags --libs jemalloc)

build() {
	output=$1
	shift
	# The flags are words.
	# shellcheck disable=SC2086
	$CC -O1 -Wall -Wextra -Werror -o "$output" "$@" $flags
}
ok 'a program for jemalloc builds' build "$tmp/user" "$here/user.c"
ok 'and runs' env LD_LIBRARY_PATH="$lib" "$tmp/user"
ok 'with the je_ names too' build "$tmp/user" -DJEMALLOC_NO_DEMANGLE \
	"$here/user.c"
ok 'and runs' env LD_LIBRARY_PATH="$lib" "$tmp/user"
ok 'the header suits C++' $CXX -std=c++17 -Wall -Wextra -Werror \
	-I"$tmp/prefix/include" -fsyntax-only -x c++ "$here/user.c"

# With jemalloc's own header the same source, on our library.
if [ -e /usr/include/jemalloc/jemalloc.h ]; then
	$CC -o "$tmp/theirs" "$here/user.c" "$lib/libjemalloc.so" &&
		LD_LIBRARY_PATH=$lib "$tmp/theirs" print >"$tmp/theirs.out"
	build "$tmp/user" "$here/user.c"
	LD_LIBRARY_PATH=$lib "$tmp/user" print >"$tmp/ours.out"
	same "the header's values are those of jemalloc's own" \
		"$tmp/theirs.out" "$tmp/ours.out"
else
	skip "the header's values are those of jemalloc's own" \
		'libjemalloc-dev is not installed'
fi

rest='redis-server on it'
if ! ldd "$(command -v redis-server)" 2>/dev/null | grep -q libjemalloc.so.2 ||
	! command -v redis-benchmark >/dev/null; then
	while [ "$tap_count" -lt 35 ]; do
		skip "$rest" 'no redis-server that is built against jemalloc'
	done
	exit 0
fi

ask() {
	redis-cli -s "$tmp/socket" "$@"
}
# redis looks at the allocator ten times a second.
settle() {
	sleep 0.5
}
# info FIELD: of INFO memory.
info() {
	ask info memory | tr -d '\r' | sed -n "s/^$1://p"
}
# between DESCRIPTION LOW VALUE HIGH, by awk's arithmetic.
between() {
	awk "BEGIN { exit !($2 <= $3 && $3 <= $4) }"
	result $? "$1" || echo "# $3 is not in [$2, $4]"
}

LD_LIBRARY_PATH=$lib redis-server --port 0 --unixsocket "$tmp/socket" \
	--dir "$tmp" --save '' --enable-debug-command local \
	>"$tmp/log" 2>"$tmp/stderr" &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
for _ in $(seq 100); do
	[ "$(ask ping 2>/dev/null)" = PONG ] && break
	sleep 0.1
done
matches 'redis-server runs on it' 'liballoc.so' "/proc/$server/maps"
lacks 'and on no other' '/libjemalloc.so.2.*jemalloc' "/proc/$server/maps"
same 'the dynamic linker has no complaint' /dev/null "$tmp/stderr"

ok 'it serves a load' redis-benchmark -s "$tmp/socket" -q -n 20000 -r 20000 \
	-P 16 -d 500 -t set,get,lpush,sadd,hset
ok 'of data too' ask debug populate 40000 key 1000
settle
used=$(info used_memory)
allocated=$(info allocator_allocated)
active=$(info allocator_active)
resident=$(info allocator_resident)
rss=$(info used_memory_rss)
[ "$(info mem_allocator)" = jemalloc-5.3.0 ]
result $? 'INFO names jemalloc, whose header it was built with'
between 'its own count is tens of megabytes' 40000000 "$used" 200000000
between 'allocator_allocated is what redis counts' "$used*0.98" \
	"$allocated" "$used*1.05+2000000"
between 'allocator_active is as much and some' "$allocated" "$active" \
	"$allocated*1.3"
between 'allocator_resident is as much and some' "$active" "$resident" \
	"$active*1.5+20000000"
between 'and is most of the RSS' "$rss*0.6" "$resident" "$rss*1.2"
between 'allocator_frag_ratio' 1 "$(info allocator_frag_ratio)" 1.3
between 'mem_fragmentation_ratio' 0.9 "$(info mem_fragmentation_ratio)" 1.6

runs 0 'MEMORY DOCTOR' ask memory doctor
matches 'has looked' 'Sam' "$tmp/out"
runs 0 'MEMORY STATS' ask memory stats
matches 'has the allocator' 'allocator.allocated' "$tmp/out"
runs 0 'MEMORY MALLOC-STATS' ask memory malloc-stats
matches 'has what it printed' 'Allocated: [0-9]' "$tmp/out"

# flushall purges by itself; what a large value leaves behind waits.
ask flushall >/dev/null
settle
between 'with all data gone, little is allocated' 0 \
	"$(info allocator_allocated)" 20000000
ask setrange big 60000000 x >/dev/null
ask del big >/dev/null
settle
before=$(info allocator_resident)
runs 0 'MEMORY PURGE' ask memory purge
matches 'is done' OK "$tmp/out"
settle
between 'and gives pages back' 0 "$(info allocator_resident)" \
	"$before-50000000"

runs 0 'CONFIG SET activedefrag is answered' ask config set activedefrag yes
matches 'as on stock jemalloc, without the changes that redis brings' \
	'requires a Redis server compiled with a modified Jemalloc' "$tmp/out"
ask shutdown nosave >/dev/null 2>&1
wait "$server"
result $? 'the server comes to its end'
