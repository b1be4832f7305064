# SPDX-License-Identifier: BSD-2-Clause
# Each command's --help and man page name the same options, and the man pages
# have their sections in order.
. "$top_srcdir/tests/tap/tap.sh"
commands='jeprof jeheapdiff jestat'
plan 15

long_options() {
	grep -oE -- '--[a-z][a-z_-]+' | sort -u
}

cat >"$tmp/sections" <<'END'
NAME
SYNOPSIS
DESCRIPTION
OPTIONS
EXIT STATUS
ENVIRONMENT
FILES
EXAMPLES
SEE ALSO
END

for command in $commands; do
	man=$top_srcdir/man/$command.1
	ok "$command --help" "$command" --help
	long_options <"$tmp/out" >"$tmp/in-help"
	# There an option stands in the line after .TP.
	sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$man" | sed 's/\\-/-/g' |
		awk 'tag { print } { tag = /^\.TP/ }' |
		long_options >"$tmp/in-man"
	same "$command: help and man page name the same options" \
		"$tmp/in-help" "$tmp/in-man"
	lacks "$command: lines of help fit a terminal" '.{81}' "$tmp/out"
	sed -n 's/^\.SH //p' "$man" >"$tmp/in-order"
	same "$command: sections" "$tmp/sections" "$tmp/in-order"
	grep -q "^$command .* [0-9]*\\.[0-9]" <<-END
		$("$command" --version)
	END
	result $? "$command --version"
done
