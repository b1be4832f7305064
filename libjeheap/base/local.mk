# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += %D%/arena.c
