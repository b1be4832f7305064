# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/compare
%C%_compare_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_compare_LDADD = $(TOOL_LIBS)
%C%_compare_SOURCES = %D%/compare.c jeheapdiff/compare.c jeheapdiff/match.c
