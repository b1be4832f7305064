# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += %D%/fake_ledger
%C%_fake_ledger_CFLAGS = $(UNIT_CFLAGS)
dist_check_SCRIPTS += %D%/end.sh %D%/examples.sh %D%/rows.sh %D%/set.sh
TESTS += %D%/end.sh %D%/examples.sh %D%/rows.sh %D%/set.sh
EXTRA_DIST += %D%/asked.c
