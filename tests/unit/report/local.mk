# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/allocator %D%/frames %D%/graph %D%/short_name
noinst_HEADERS += %D%/sketch.h
%C%_allocator_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_allocator_LDADD = $(TOOL_LIBS)
%C%_frames_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_frames_LDADD = $(TOOL_LIBS)
%C%_graph_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_graph_LDADD = $(TOOL_LIBS)
%C%_short_name_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_short_name_LDADD = $(TOOL_LIBS)
