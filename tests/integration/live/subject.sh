# shellcheck shell=sh
# SPDX-License-Identifier: BSD-2-Clause
# Sourced: the process that is read.

# start CONF PROGRAM [ARGUMENT...]: sets $pid once the program is ready;
# $preloaded are the libraries that it is run on.
start() {
	conf=$1
	shift
	rm -f "$tmp/dump" "$tmp/said"
	mkfifo "$tmp/said"
	MALLOC_CONF=$conf LD_PRELOAD=${preloaded:-} "$@" >"$tmp/said" &
	pid=$!
	exec 3<"$tmp/said"
	while read -r line <&3; do
		[ "$line" = ready ] && return
		echo "# the subject says: $line"
	done
}

stop() {
	exec 3<&-
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	return 0
}
