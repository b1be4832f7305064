# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/api.h %D%/controls.c %D%/extended.c \
	%D%/standard.c
