# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/api.h %D%/controls.c %D%/cplusplus.c \
	%D%/cplusplus.h %D%/extended.c %D%/glibc.c %D%/limits.c \
	%D%/runtime.c %D%/standard.c
