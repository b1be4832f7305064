# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += \
	%D%/amount.c %D%/amount.h \
	%D%/callgrind.c \
	%D%/collapsed.c \
	%D%/dot.c \
	%D%/flame.c \
	%D%/frames.c %D%/frames.h \
	%D%/graph.c \
	%D%/graphviz.c \
	%D%/lifetimes.c %D%/lifetimes.h \
	%D%/nameless.c \
	%D%/report.h \
	%D%/short_name.c %D%/short_name.h \
	%D%/table_json.c \
	%D%/text.c

# Scripts that reports carry, as the elements of a C array.
EXTRA_DIST += %D%/flame.html %D%/pan_zoom.js
report_arrays = %D%/flame.inc %D%/pan_zoom.inc
BUILT_SOURCES += $(report_arrays)
CLEANFILES += $(report_arrays)
%D%/libjeheap_a-flame.$(OBJEXT): %D%/flame.inc
%D%/libjeheap_a-graphviz.$(OBJEXT): %D%/pan_zoom.inc

SUFFIXES = .js .html .inc
AS_ARRAY = od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g' \
	>$@.tmp && mv $@.tmp $@
.js.inc:
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(AS_ARRAY)
.html.inc:
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(AS_ARRAY)
