# SPDX-License-Identifier: BSD-2-Clause
# Giving memory back, as the kernel sees it.
TEST_UNITS += %D%/give_back

%C%_give_back_CFLAGS = $(UNIT_CFLAGS)
%C%_give_back_LDADD = $(UNIT_LIBALLOC_LIBS)

check_PROGRAMS += %D%/grow
%C%_grow_CFLAGS = $(UNIT_CFLAGS)
%C%_grow_LDADD = $(UNIT_LIBALLOC_LIBS)
dist_check_SCRIPTS += %D%/containers.sh
TESTS += %D%/containers.sh
