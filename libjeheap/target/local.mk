# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += \
	%D%/core.c %D%/core.h \
	%D%/core_packed.c %D%/core_packed.h \
	%D%/find.c \
	%D%/image.c %D%/image.h \
	%D%/info.c \
	%D%/maps.c %D%/maps.h \
	%D%/proc.h %D%/process.c %D%/snapshot.c \
	%D%/request.c %D%/request.h \
	%D%/target.h \
	%D%/view.c
