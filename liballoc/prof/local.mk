# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/backtrace.c %D%/backtrace.h \
	%D%/class_sums.c %D%/class_sums.h %D%/control.c %D%/counts.c %D%/dump.c %D%/dump.h \
	%D%/hooks.c %D%/hooks.h %D%/near_clock.c %D%/near_clock.h %D%/images.c \
	%D%/images.h %D%/prof.h %D%/random.c %D%/row_index.c %D%/row_index.h %D%/random.h \
	%D%/requests.c %D%/sampler.c %D%/samples.c %D%/snapshot.c %D%/snapshot.h %D%/stacks.c %D%/state.h %D%/tables.h \
	%D%/triggers.c %D%/unload.c %D%/unload.h %D%/writer.c %D%/writer.h \
	%D%/unwind/arch.h %D%/unwind/cfi.c %D%/unwind/cfi.h \
	%D%/unwind/expression.c %D%/unwind/find.c %D%/unwind/find.h %D%/unwind/framed.c %D%/unwind/framed.h \
	%D%/unwind/memo.h %D%/unwind/memory.c %D%/unwind/memory.h %D%/unwind/reader.c \
	%D%/unwind/reader.h %D%/unwind/rules.c %D%/unwind/rules.h \
	%D%/unwind/table_pages.c %D%/unwind/table_pages.h \
	%D%/unwind/unwind.c %D%/unwind/unwind.h
liballoc_liballoc_la_SOURCES += %D%/files.c %D%/files.h %D%/live.c %D%/live.h \
	%D%/limits.c %D%/limits.h %D%/peak.c %D%/peak.h %D%/signal.c %D%/signal.h
liballoc_liballoc_la_SOURCES += %D%/json.c %D%/json.h %D%/log.c %D%/log.h \
	%D%/log_record.h %D%/log_write.c %D%/recent.c %D%/recent.h \
	%D%/recent_dump.c %D%/recent_record.h
