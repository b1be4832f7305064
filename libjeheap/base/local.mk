# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += \
	%D%/arena.c %D%/arena.h \
	%D%/cursor.c %D%/cursor.h \
	%D%/diag.c %D%/diag.h \
	%D%/file.c %D%/file.h \
	%D%/json.c %D%/json.h \
	%D%/number.c %D%/number.h \
	%D%/options.c %D%/options.h \
	%D%/str.c %D%/str.h \
	%D%/table.c %D%/table.h \
	%D%/unpack.c %D%/unpack.h
