# SPDX-License-Identifier: BSD-2-Clause
# TAP for shell tests, which source it: . "$top_srcdir/tests/tap/tap.sh"
#
#	plan 3
#	ok 'jeprof prints a table' jeprof --text x.heap   # by exit status
#	runs 2 'a missing file is an error' jeprof nowhere.heap
#	matches 'and is named' 'nowhere.heap' "$tmp/err"
#
# Each test runs in a private folder, $tmp, which is removed at the end.
# runs leaves what the command printed in $tmp/out and $tmp/err. The
# commands of the build come first in PATH. Never preload liballoc into the
# test shell itself: use preload COMMAND.

set -u
LC_ALL=C.UTF-8
export LC_ALL
LSAN_OPTIONS=suppressions=$top_srcdir/tests/tap/leaks-of-others:print_suppressions=0
export LSAN_OPTIONS
tap_count=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM
PATH=$top_builddir/jeprof:$top_builddir/jeheapdiff:$top_builddir/jestat:$PATH
liballoc=$top_builddir/liballoc/.libs/liballoc.so
data=$top_srcdir/tests/data

plan() {
	echo "1..$1"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# result STATUS DESCRIPTION: 0 passes.
result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		return 1
	fi
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

diag_file() {
	head -n 40 "$1" | sed 's/^/# /'
}

# ok DESCRIPTION COMMAND...: passes where the command exits with 0.
ok() {
	what=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	result $? "$what" || { diag_file "$tmp/out"; diag_file "$tmp/err"; }
}

# runs STATUS DESCRIPTION COMMAND...: passes where it exits with STATUS.
runs() {
	want=$1 what=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ]
	result $? "$what" || {
		echo "# exit status $got, want $want"
		diag_file "$tmp/out"
		diag_file "$tmp/err"
	}
}

# matches DESCRIPTION EXTENDED-REGEX FILE
matches() {
	grep -qE -- "$2" "$3"
	result $? "$1" || { echo "# no line matches: $2"; diag_file "$3"; }
}

# lacks DESCRIPTION EXTENDED-REGEX FILE
lacks() {
	! grep -qE -- "$2" "$3"
	result $? "$1" || { echo "# a line matches: $2"; diag_file "$3"; }
}

# same DESCRIPTION WANTED-FILE FILE
same() {
	diff -u "$2" "$3" >"$tmp/diff" 2>&1
	result $? "$1" || diag_file "$tmp/diff"
}

# preload COMMAND...: runs it on the liballoc of this build.
preload() {
	LD_PRELOAD=$liballoc "$@"
}
