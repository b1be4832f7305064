#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tsan.sh SRCDIR: compiles the loads and liballoc into one program under
# ThreadSanitizer, and runs those with threads, with options of all kinds; and
# the storm of logs, dumps, resets and forks of tests/integration/prof/history.c.
# CC, CPPFLAGS and LIBALLOC_SOURCES are those of the build, in whose folder it
# runs.
set -eu
src=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# CC and CPPFLAGS are words.
# shellcheck disable=SC2086
for file in $LIBALLOC_SOURCES tests/stress/loads.c \
	tests/integration/prof/history.c; do
	case $file in
	*.c) ;;
	*) continue ;;
	esac
	$CC $CPPFLAGS -I"$src/tests" -include "$src/tests/stress/renamed.h" \
		-D_GNU_SOURCE -w -std=gnu11 -g -O1 -fsanitize=thread -fno-builtin-malloc \
		-c "$src/$file" -o "$folder/$(echo "$file" | tr / _).o"
done
mkdir "$folder/programs"
mv "$folder"/tests_*.o "$folder/programs"
# shellcheck disable=SC2086
for name in stress_loads integration_prof_history; do
	$CC -fsanitize=thread "$folder"/*.o \
		"$folder/programs/tests_$name.c.o" -o "$folder/$name" -lpthread
done
# As it is by default; with samples that fill tables and pass rows on; with
# those and dumps beside them; and where slow paths are walked all the time.
for options in '' lg_prof_sample:12 \
	"lg_prof_sample:10,lg_prof_interval:20,prof_prefix:$folder/dump" \
	lg_prof_sample:9,prof_peak:true,prof_recent_alloc_max:50 \
	background_thread:true,dirty_decay_ms:10,narenas:1 \
	tcache:false,dirty_decay_ms:0; do
	for load in bursts thread_churn cross_frees; do
		echo "== $load ${options%%,prof_prefix*}"
		MALLOC_CONF=$options \
			TSAN_OPTIONS='halt_on_error=1 exitcode=1' \
			"$folder/stress_loads" "$load"
	done
done
echo '== history'
MALLOC_CONF=lg_prof_sample:8,prof_recent_alloc_max:100,prof_sys_thread_name:true \
	TSAN_OPTIONS='halt_on_error=1 exitcode=1' \
	"$folder/integration_prof_history" storm "$folder/log"
