# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/estimate %D%/profile %D%/read %D%/transform
%C%_estimate_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_estimate_LDADD = $(TOOL_LIBS)
%C%_profile_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_profile_LDADD = $(TOOL_LIBS)
%C%_read_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_read_LDADD = $(TOOL_LIBS)
%C%_transform_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_transform_LDADD = $(TOOL_LIBS)
EXTRA_DIST += tests/data
