# SPDX-License-Identifier: BSD-2-Clause
bin_PROGRAMS += %D%/jeprof
%C%_jeprof_CFLAGS = $(TOOL_CFLAGS)
%C%_jeprof_LDADD = $(TOOL_LIBS)
%C%_jeprof_SOURCES = \
	%D%/command_line.c %D%/command_line.h \
	%D%/load.c %D%/load.h \
	%D%/main.c
