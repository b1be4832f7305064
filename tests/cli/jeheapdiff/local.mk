# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += %D%/dump.sh
check_PROGRAMS += %D%/subject_old %D%/subject_new
%C%_subject_old_SOURCES = %D%/subject.c
%C%_subject_old_CFLAGS = $(AM_CFLAGS)
%C%_subject_old_LDFLAGS = -Wl,--build-id
%C%_subject_new_SOURCES = %D%/subject.c
%C%_subject_new_CFLAGS = $(AM_CFLAGS) -DREBUILT
%C%_subject_new_LDFLAGS = -Wl,--build-id
dist_check_SCRIPTS += %D%/changes.sh %D%/errors.sh %D%/live.sh
TESTS += %D%/changes.sh %D%/errors.sh %D%/live.sh
