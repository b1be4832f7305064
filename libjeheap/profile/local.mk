# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += \
	%D%/allocator.c %D%/counts.c %D%/counts.h \
	%D%/estimate.c %D%/estimate.h \
	%D%/extension.c %D%/heap_text.h \
	%D%/index.c %D%/index.h \
	%D%/parse.c \
	%D%/profile.c %D%/profile.h \
	%D%/protobuf.c %D%/protobuf.h \
	%D%/read.c %D%/read.h \
	%D%/read_heap.c \
	%D%/read_maps.c \
	%D%/read_pprof.c \
	%D%/read_symbolized.c
libjeheap_libjeheap_a_SOURCES += \
	%D%/from_ledger.c %D%/from_ledger.h \
	%D%/read_process.c
