# SPDX-License-Identifier: BSD-2-Clause
bin_PROGRAMS += %D%/jeheapdiff
%C%_jeheapdiff_CFLAGS = $(TOOL_CFLAGS)
%C%_jeheapdiff_LDADD = $(TOOL_LIBS)
%C%_jeheapdiff_SOURCES = \
	%D%/command_line.c %D%/command_line.h \
	%D%/compare.c %D%/compare.h \
	%D%/main.c \
	%D%/match.c %D%/match.h \
	%D%/print.c %D%/print.h
