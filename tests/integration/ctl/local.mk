# SPDX-License-Identifier: BSD-2-Clause
# liballoc's options, controls and statistics, in programs that run on it.
dist_check_SCRIPTS += %D%/jemalloc.sh %D%/manual.sh
TESTS += %D%/jemalloc.sh %D%/manual.sh

check_PROGRAMS += %D%/probe
%C%_probe_CFLAGS = $(UNIT_CFLAGS)
