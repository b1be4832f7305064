# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/fault.c %D%/fault.h %D%/fill.c %D%/fill.h \
	%D%/guard.c %D%/guard.h %D%/report.c \
	%D%/report.h
