# SPDX-License-Identifier: BSD-2-Clause
# quickstart's set-up, against an apt, a dpkg and a sudo of our own, so that
# nothing is installed by the test.
. "$top_srcdir/tests/tap/tap.sh"
plan 20

bin=$tmp/bin
mkdir "$bin"
for tool in sh awk cat dirname mktemp rm tail env grep sort; do
	ln -s "$(command -v $tool)" "$bin/$tool"
done

# stand_in NAME: writes the script on standard input to $bin/NAME.
stand_in() {
	{
		echo '#!/bin/sh'
		cat
	} >"$bin/$1"
	chmod +x "$bin/$1"
}

# A machine where what $tmp/installed lists is installed.
stand_in dpkg-query <<-EOT
	for last; do :; done
	grep -qx -- "\$last" "$tmp/installed" && echo 'install ok installed'
EOT
stand_in id <<-EOT
	cat "$tmp/uid"
EOT
machine_with_apt() {
	stand_in apt-get <<-EOT
		echo "apt-get \$*" >>"$tmp/calls"
		case " \$* " in *' install '*) ;; *) exit 0 ;; esac
		for word; do
			case \$word in -*|install) ;; *) echo "\$word" ;; esac
		done >>"$tmp/installed"
	EOT
}

names() {
	awk '!/^[[#]/ && NF { print $1 }' "$top_srcdir/build-aux/packages"
}

setup() {
	rm -f "$tmp/calls"
	(PATH=$bin && sh "$top_srcdir/quickstart" "$@")
}

echo 0 >"$tmp/uid"
machine_with_apt
names | grep -vx 'make' >"$tmp/installed"
runs 0 'a missing package is installed' setup setup
matches 'it says first what it will install' 'apt will install.*: make$' \
	"$tmp/out"
matches 'asks apt for that one alone, without recommendations' \
	' install --no-install-recommends make$' "$tmp/calls"
runs 0 'a second run finds it there' setup setup
matches 'and says so' 'all packages are installed' "$tmp/out"
ok 'and leaves apt alone' test ! -e "$tmp/calls"

: >"$tmp/installed"
runs 0 'on an empty machine' setup setup build
matches 'all of the section is installed' ' gcc .*libgraphviz-dev' "$tmp/calls"
lacks 'and nothing of another section' 'clang-format' "$tmp/calls"

echo 1000 >"$tmp/uid"
: >"$tmp/installed"
runs 2 'neither root nor sudo: it fails' setup setup
matches 'and shows the command for root' 'as root, run: apt-get' "$tmp/err"
stand_in sudo <<-EOT
	echo "sudo \$*" >>"$tmp/sudo"
	exec "\$@"
EOT
runs 0 'with sudo it goes on' setup setup
matches 'by sudo' '^sudo env .*apt-get.*install' "$tmp/sudo"

stand_in apt-get <<-EOT
	case " \$* " in *' install '*) echo 'E: no room'; exit 100 ;; esac
EOT
: >"$tmp/installed"
runs 2 'a failing apt-get ends it' setup setup
matches 'with what apt-get said' 'E: no room' "$tmp/err"

rm "$bin/apt-get"
runs 2 'a system without apt: it fails' setup setup
matches 'and lists what is needed' 'no apt.*libdw-dev' "$tmp/err"

runs 2 'an unknown section is an error' setup setup nowhere
runs 2 'an unknown command is an error' setup tset
ok 'every package has its reason' awk '
	/^\[/ || /^#/ || !NF { next }
	!/^[a-z0-9.+-]+ +# [a-zA-Z]/ { print; bad = 1 }
	END { exit bad }' "$top_srcdir/build-aux/packages"
