# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/cursor %D%/diag %D%/file %D%/str
%C%_cursor_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_cursor_LDADD = $(TOOL_LIBS)
%C%_diag_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_diag_LDADD = $(TOOL_LIBS)
%C%_file_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_file_LDADD = $(TOOL_LIBS)
%C%_str_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_str_LDADD = $(TOOL_LIBS)
