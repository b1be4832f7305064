# SPDX-License-Identifier: BSD-2-Clause
# liballoc's options, controls and statistics, in programs that run on it.
dist_check_SCRIPTS += %D%/acts.sh %D%/conf.sh %D%/jemalloc.sh \
	%D%/json_tree.sh %D%/manual.sh %D%/stats.sh
TESTS += %D%/acts.sh %D%/conf.sh %D%/jemalloc.sh %D%/json_tree.sh \
	%D%/manual.sh %D%/stats.sh

EXTRA_DIST += %D%/json_tree.py %D%/json_tree.allowed \
	%D%/jemalloc_names

check_PROGRAMS += %D%/acts %D%/conf_program %D%/conf_static \
	%D%/eight_threads %D%/probe
%C%_acts_CFLAGS = $(UNIT_CFLAGS)
%C%_acts_LDADD = liballoc/liballoc.la -lpthread
%C%_conf_program_CFLAGS = $(UNIT_CFLAGS)
%C%_conf_program_LDADD = liballoc/liballoc.la
%C%_conf_static_SOURCES = %D%/conf_program.c
%C%_conf_static_CFLAGS = $(UNIT_CFLAGS)
%C%_conf_static_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_conf_static_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_probe_CFLAGS = $(UNIT_CFLAGS)
%C%_eight_threads_CFLAGS = $(UNIT_CFLAGS)
%C%_eight_threads_LDADD = -lpthread
