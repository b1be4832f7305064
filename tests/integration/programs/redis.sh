# SPDX-License-Identifier: BSD-2-Clause
# redis-server under redis-benchmark, on a socket; then data that is the same
# each time, saved by a forked child, loaded again and compared.
set -eu
socket=$PWD/redis.socket
rm -f dump.rdb "$socket"

# ask COMMAND...: as redis-cli, off the allocator under test.
ask() {
	LD_PRELOAD='' redis-cli -s "$socket" "$@"
}

start() {
	redis-server --port 0 --unixsocket "$socket" --dir "$PWD" --save '' \
		--activedefrag no --enable-debug-command local >redis.log 2>&1 &
	server=$!
	for _ in $(seq 100); do
		[ "$(ask ping 2>/dev/null)" = PONG ] && return
		sleep 0.1
	done
	tail redis.log >&2
	exit 1
}
trap 'kill $server 2>/dev/null || true' EXIT

start
redis-benchmark -s "$socket" -q -n 30000 -r 5000 -P 8 -d 200 \
	-t set,get,lpush,rpop,sadd,hset,zadd,mset >redis.benchmark
wc -l <redis.benchmark | awk '{ print ($1 > 7) }'
ask flushall
seq 1 30000 | awk '{
	print "set key" $1 " " $1 $1 $1 $1
	print "rpush list" $1 % 50 " " $1
	print "hset hash" $1 % 100 " f" $1 " " $1
	print "zadd zset" $1 % 30 " " $1 " m" $1
	if ($1 % 3 == 0) print "del key" $1
	if ($1 % 5 == 0) print "append key" $1 - 1 " more"
}' | ask >redis.answers
sha256sum <redis.answers
ask dbsize
ask debug digest
ask bgsave >/dev/null
while [ "$(ask info persistence | grep -c rdb_bgsave_in_progress:1)" -gt 0 ]; do
	sleep 0.1
done
redis-check-rdb dump.rdb | grep -c 'RDB looks OK'
ask shutdown nosave || true
wait "$server" && echo "server's status 0"
start
ask dbsize
ask debug digest
ask shutdown nosave || true
wait "$server"
rm -f dump.rdb redis.log redis.answers redis.benchmark
