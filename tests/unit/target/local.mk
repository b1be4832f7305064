# SPDX-License-Identifier: BSD-2-Clause
noinst_HEADERS += %D%/core_image.h %D%/region.h
TEST_UNITS += %D%/convert %D%/core %D%/core_packed %D%/process %D%/view
%C%_convert_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_convert_LDADD = $(TOOL_LIBS)
%C%_core_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_core_LDADD = $(TOOL_LIBS)
%C%_core_packed_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_core_packed_LDADD = $(TOOL_LIBS)
%C%_process_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_process_LDADD = $(TOOL_LIBS)
%C%_view_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_view_LDADD = $(TOOL_LIBS)
