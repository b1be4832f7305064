#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Which file names come from: the mapped one by its build-id, separate debug
# files by build-id and by link, supplementary files, packed symbols; and
# what is said where there is none that can be trusted.
. "$top_srcdir/tests/tap/tap.sh"

symbolize=$top_builddir/tests/unit/symbol/symbolize
for tool in gcc objcopy strip nm readelf mkfifo; do
	command -v $tool >/dev/null 2>&1 || skip_all "no $tool"
done
plan 26

cat >"$tmp/x.c" <<-'EOC'
	__attribute__((noinline)) static void work(void)
	{
		__asm__ volatile("mark: nop");
	}
	int main(void)
	{
		work();
		return 0;
	}
EOC

# build NAME [OPTION]...: an unstripped $tmp/NAME; sets $mark and $id.
build() {
	name=$1
	shift
	gcc -O1 -g "$@" "$tmp/x.c" -o "$tmp/$name" || exit 99
	mark=$(nm "$tmp/$name" | awk '$3 == "mark" { print $1 }')
	id=$(readelf -n "$tmp/$name" | sed -n 's/.*Build ID: //p')
}

# says WANTED DESCRIPTION ARGUMENT...: what symbolize prints
says() {
	echo "$1" >"$tmp/wanted"
	what=$2
	shift 2
	timeout 20 "$symbolize" "$@" >"$tmp/named" 2>&1
	same "$what" "$tmp/wanted" "$tmp/named"
}

# Without one, stripped programs would find each other's.
named='work x.c:3'
empty=$tmp/empty
mkdir "$empty"

build full -Wl,--build-id=sha1
says "$named" 'a file with all in it' "$tmp/full" "$mark"
says "$named" 'and the build-id that is wanted' -b "$id" "$tmp/full" "$mark"
says '[file changed]' 'a file of another build' -b "00$id" \
	"$tmp/full" "$mark"
says "$named" 'a deleted file whose build is back' -x -b "$id" \
	"$tmp/full" "$mark"
says '[file changed]' 'a deleted file, and who knows what is there now' -x \
	"$tmp/full" "$mark"
says '[no file]' 'no file' -o "$tmp/nowhere" 1000
says "$named" 'the program that the user names' -o -p "$tmp/full" \
	"$tmp/nowhere" "$mark"
says '[file changed]' 'unless it is of another build' -o -p "$tmp/full" \
	-b 1234 "$tmp/nowhere" "$mark"
mkdir -p "$tmp/prefix/usr/lib"
cp "$tmp/full" "$tmp/prefix/usr/lib/copied"
says "$named" 'a prefix and the whole path' -o \
	-l "/nonexistent,$tmp/prefix" /usr/lib/copied "$mark"
says "$named" 'a prefix and the base name' -o -l "$tmp/prefix/usr/lib" \
	/elsewhere/copied "$mark"

objcopy --only-keep-debug "$tmp/full" "$tmp/full.debug"
strip "$tmp/full" -o "$tmp/stripped"
says '[no symbols]' 'a stripped file' -d "$empty" "$tmp/stripped" "$mark"
folder=$tmp/debug/.build-id/$(echo "$id" | cut -c1-2)
mkdir -p "$folder"
cp "$tmp/full.debug" "$folder/$(echo "$id" | cut -c3-).debug"
says "$named" 'a debug file by build-id' -d "$tmp/debug" \
	"$tmp/stripped" "$mark"
cp "$folder"/*.debug "$tmp/kept.debug"
build other -Wl,--build-id=sha1 -DOTHER -O2
objcopy --only-keep-debug "$tmp/other" "$tmp/other.debug"
for f in "$folder"/*.debug; do
	cp "$tmp/other.debug" "$f"
done
build full -Wl,--build-id=sha1
says '[no symbols]' 'which lies about its build-id' -d "$tmp/debug" \
	"$tmp/stripped" "$mark"

# Linked by name and CRC, without build-ids to compare.
build plain -Wl,--build-id=none
objcopy --only-keep-debug "$tmp/plain" "$tmp/plain.debug"
strip "$tmp/plain" -o "$tmp/linked"
(cd "$tmp" && objcopy --add-gnu-debuglink=plain.debug linked)
says "$named" 'a debug file by link, beside the file' -d "$empty" \
	"$tmp/linked" "$mark"
mkdir "$tmp/.debug"
mv "$tmp/plain.debug" "$tmp/.debug/"
says "$named" 'in .debug' -d "$empty" "$tmp/linked" "$mark"
mkdir -p "$tmp/global$tmp"
mv "$tmp/.debug/plain.debug" "$tmp/global$tmp/"
says "$named" 'under the folder of debug files' -d "$tmp/global" \
	"$tmp/linked" "$mark"
printf 'x' >>"$tmp/global$tmp/plain.debug"
says '[no symbols]' 'whose CRC is wrong' -d "$tmp/global" \
	"$tmp/linked" "$mark"

if command -v dwz >/dev/null 2>&1; then
	build one -Wl,--build-id=sha1
	cp "$tmp/one" "$tmp/two"
	# What is common moves to the supplementary file.
	(cd "$tmp" && dwz -m "$tmp/common.dwz" -M "$tmp/common.dwz" one two) \
		>"$tmp/err" 2>&1
	if readelf -SW "$tmp/one" | grep -q gnu_debugaltlink; then
		says "$named" 'a supplementary file' "$tmp/one" "$mark"
	else
		skip 'a supplementary file' 'dwz had nothing to share'
	fi
else
	skip 'a supplementary file' 'no dwz'
fi

if command -v xz >/dev/null 2>&1; then
	build mini -Wl,--build-id=sha1
	objcopy --strip-debug "$tmp/mini" "$tmp/mini.symbols"
	objcopy --only-keep-debug "$tmp/mini.symbols" "$tmp/symbols"
	xz -f "$tmp/symbols"
	strip "$tmp/mini"
	objcopy --add-section .gnu_debugdata="$tmp/symbols.xz" "$tmp/mini"
	says work 'symbols packed in .gnu_debugdata' -d "$empty" \
		"$tmp/mini" "$mark"
else
	skip 'symbols packed in .gnu_debugdata' 'no xz'
fi

echo 'int main(void);' >"$tmp/text"
says '[not ELF]' 'a text' -o "$tmp/text" 0
: >"$tmp/nothing"
says '[not ELF]' 'an empty file' -o "$tmp/nothing" 0
mkfifo "$tmp/fifo"
says '[no file]' 'a fifo, without waiting' -o "$tmp/fifo" 0
says '[no file]' 'a folder' -o "$tmp" 0
says '[no file]' 'a device' -o /dev/zero 0
says '[no symbol here]' 'an offset beyond the file' -o "$tmp/full" \
	7000000000
build full -Wl,--build-id=sha1
sleep 30 &
pid=$!
says "$named" 'a file as a process sees it' -P $pid "$tmp/full" "$mark"
kill $pid
