# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += %D%/counts.c %D%/counts.h
