# SPDX-License-Identifier: BSD-2-Clause
# Giving memory back, as the kernel sees it.
TEST_UNITS += %D%/give_back

%C%_give_back_CFLAGS = $(UNIT_CFLAGS)
%C%_give_back_LDADD = $(UNIT_LIBALLOC_LIBS)
