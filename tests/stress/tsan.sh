#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tsan.sh SRCDIR: compiles the loads and liballoc into one program under
# ThreadSanitizer, and runs those with threads. CC, CPPFLAGS and
# LIBALLOC_SOURCES are those of the build, in whose folder it runs.
set -eu
src=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# CC and CPPFLAGS are words.
# shellcheck disable=SC2086
for file in $LIBALLOC_SOURCES tests/stress/loads.c; do
	case $file in
	*.c) ;;
	*) continue ;;
	esac
	$CC $CPPFLAGS -I"$src/tests" -include "$src/tests/stress/renamed.h" \
		-D_GNU_SOURCE -w -std=gnu11 -g -O1 -fsanitize=thread -fno-builtin-malloc \
		-c "$src/$file" -o "$folder/$(echo "$file" | tr / _).o"
done
# shellcheck disable=SC2086
$CC -fsanitize=thread "$folder"/*.o -o "$folder/loads" -lpthread
for load in bursts thread_churn cross_frees; do
	echo "== $load"
	TSAN_OPTIONS='halt_on_error=1 exitcode=1' "$folder/loads" "$load"
done
