# SPDX-License-Identifier: BSD-2-Clause
# liballoc under stress, by the names that programs use, and from outside.
TEST_UNITS += %D%/arena_threads %D%/churn %D%/forks %D%/signals %D%/threads %D%/published \
	%D%/exported

%C%_exported_CFLAGS = $(UNIT_CFLAGS)
%C%_exported_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_published_CFLAGS = $(UNIT_CFLAGS)
%C%_published_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_arena_threads_CFLAGS = $(UNIT_CFLAGS)
%C%_arena_threads_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_churn_CFLAGS = $(UNIT_CFLAGS)
%C%_churn_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_forks_CFLAGS = $(UNIT_CFLAGS)
%C%_forks_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_signals_CFLAGS = $(UNIT_CFLAGS)
%C%_signals_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_threads_CFLAGS = $(UNIT_CFLAGS)
%C%_threads_LDADD = $(UNIT_LIBALLOC_LIBS)

EXTRA_DIST += %D%/early_late.c %D%/fork_handlers.c %D%/hardened.c %D%/little_memory.c %D%/own_limit.c %D%/own_lock.c %D%/private_library.c \
	%D%/static.c
dist_check_SCRIPTS += %D%/imports.sh %D%/liballoc.sh
TESTS += %D%/imports.sh %D%/liballoc.sh
