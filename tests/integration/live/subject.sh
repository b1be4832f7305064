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

# agrees_with SOURCE DESCRIPTION OPTION...: what the program's own facts() have
# of the source is what they have of the dump.
agrees_with() {
	source=$1
	what=$2
	shift 2
	facts "$@" "$tmp/dump" >"$tmp/wanted" 2>"$tmp/err"
	facts "$@" "$source" >"$tmp/out" 2>>"$tmp/err"
	[ -s "$tmp/wanted" ] || echo 'a profile' >"$tmp/wanted"
	same "$what" "$tmp/wanted" "$tmp/out"
}

stop() {
	exec 3<&-
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	return 0
}
