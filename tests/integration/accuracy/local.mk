# SPDX-License-Identifier: BSD-2-Clause
if TOOLS
check_PROGRAMS += %D%/known_live
%C%_known_live_CFLAGS = $(AM_CFLAGS) -fno-builtin
%C%_known_live_LDADD = liballoc/liballoc.la
dist_check_SCRIPTS += tests/integration/accuracy.sh
TESTS += tests/integration/accuracy.sh
EXTRA_DIST += %D%/accuracy.awk
endif
