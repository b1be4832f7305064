# SPDX-License-Identifier: BSD-2-Clause
# liballoc in jemalloc's place.
dist_check_SCRIPTS += %D%/names.sh %D%/rust.sh
TESTS += %D%/names.sh %D%/rust.sh
EXTRA_DIST += %D%/allocator.rs %D%/user.c

TEST_UNITS += %D%/rust_ctl
%C%_rust_ctl_CFLAGS = $(UNIT_CFLAGS)
%C%_rust_ctl_LDADD = $(UNIT_LIBALLOC_LIBS)
