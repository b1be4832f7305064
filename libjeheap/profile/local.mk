# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += \
	%D%/add.c \
	%D%/allocator.c \
	%D%/check.c \
	%D%/counts.c %D%/counts.h \
	%D%/estimate.c %D%/estimate.h \
	%D%/extension.c %D%/heap_text.h \
	%D%/filter.c \
	%D%/from_ledger.c %D%/from_ledger.h \
	%D%/index.c %D%/index.h \
	%D%/keep.c \
	%D%/match.c %D%/transform.h \
	%D%/parse.c \
	%D%/profile.c %D%/profile.h \
	%D%/protobuf.c %D%/protobuf.h \
	%D%/read.c %D%/read.h \
	%D%/read_heap.c \
	%D%/read_maps.c \
	%D%/read_pprof.c \
	%D%/read_process.c \
	%D%/read_symbolized.c \
	%D%/same_file.c %D%/same_file.h \
	%D%/write_pprof.c %D%/write.h \
	%D%/write_raw.c
