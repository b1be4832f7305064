# SPDX-License-Identifier: BSD-2-Clause
# tests/unit/PART tests what lies in PART; tests/cli runs the commands;
# tests/integration runs real programs. Each folder registers its own.
EXTRA_DIST += %D%/tap/tap.sh %D%/tap/leaks-of-others
noinst_HEADERS += %D%/tap/tap.h

UNIT_CFLAGS = $(AM_CFLAGS) -I$(top_srcdir)/tests
# Unit tests of liballoc link it statically, so that they see its internals
# (and run on it).
UNIT_STATIC_LIBALLOC = -static
UNIT_LIBALLOC_LIBS = liballoc/liballoc.la -lpthread

include %D%/unit/api/local.mk
include %D%/unit/ctl/local.mk
include %D%/unit/heap/local.mk
include %D%/unit/ledger/local.mk
include %D%/unit/prof/local.mk
if TOOLS
include %D%/unit/base/local.mk
include %D%/unit/jeheapdiff/local.mk
include %D%/unit/profile/local.mk
include %D%/unit/report/local.mk
include %D%/unit/symbol/local.mk
include %D%/unit/target/local.mk
include %D%/cli/jeprof/local.mk
include %D%/cli/jeheapdiff/local.mk
include %D%/cli/jestat/local.mk
dist_check_SCRIPTS += %D%/cli/help_matches_man.sh
TESTS += %D%/cli/help_matches_man.sh
endif
include %D%/integration/cplusplus/local.mk
include %D%/integration/giveback/local.mk
include %D%/stress/local.mk
include %D%/stress/reading/local.mk
include %D%/integration/liballoc/local.mk
include %D%/integration/safety/local.mk
include %D%/integration/local.mk
include %D%/integration/ctl/local.mk
include %D%/integration/jemalloc/local.mk

# check_PROGRAMS that are tests are listed once, in TEST_UNITS.
check_PROGRAMS += $(TEST_UNITS)
TESTS += $(TEST_UNITS)
