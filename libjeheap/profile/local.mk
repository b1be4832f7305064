# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += \
	%D%/estimate.c %D%/estimate.h \
	%D%/index.c %D%/index.h \
	%D%/profile.c %D%/profile.h
