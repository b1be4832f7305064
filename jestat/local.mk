# SPDX-License-Identifier: BSD-2-Clause
bin_PROGRAMS += %D%/jestat
%C%_jestat_CFLAGS = $(TOOL_CFLAGS)
%C%_jestat_LDADD = $(TOOL_LIBS)
%C%_jestat_SOURCES = \
	%D%/histograms.c \
	%D%/json_lines.c \
	%D%/list.c %D%/list.h \
	%D%/main.c \
	%D%/print.h \
	%D%/reading.c %D%/reading.h \
	%D%/rows.c \
	%D%/set.c %D%/set.h \
	%D%/tables.c \
	%D%/watch.c %D%/watch.h
