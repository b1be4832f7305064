# SPDX-License-Identifier: BSD-2-Clause
# Reading running processes: the same subject on a preloaded liballoc, and
# with liballoc linked into it.
check_PROGRAMS += %D%/subject %D%/subject_static
%C%_subject_CFLAGS = $(AM_CFLAGS) -O1
%C%_subject_LDADD = -lpthread -ldl
%C%_subject_static_SOURCES = %D%/subject.c
%C%_subject_static_CFLAGS = $(AM_CFLAGS) -O1
# Its reference to mallctl is weak, and takes nothing from an archive.
%C%_subject_static_LDFLAGS = -static -Wl,-u,mallctl
%C%_subject_static_LDADD = liballoc/liballoc.la -lpthread -ldl
TESTS += %D%/container.sh %D%/core.sh %D%/live.sh %D%/snapshot.sh
dist_check_SCRIPTS += %D%/container.sh %D%/core.sh %D%/live.sh %D%/snapshot.sh
EXTRA_DIST += %D%/subject.sh
check_PROGRAMS += %D%/no_attach %D%/short_threads
%C%_short_threads_LDADD = -lpthread
