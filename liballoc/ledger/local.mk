# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/build_id.c %D%/build_id.h %D%/export.c %D%/export.h %D%/layout.h \
	%D%/ledger.h %D%/metrics.def %D%/metrics.c %D%/metrics.h %D%/region.c %D%/region.h %D%/room.c \
	%D%/threads.c
