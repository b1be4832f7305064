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
check_PROGRAMS += %D%/convert
%C%_convert_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_convert_LDADD = $(TOOL_LIBS)
dist_check_SCRIPTS += %D%/formats.sh
TESTS += %D%/formats.sh
EXTRA_DIST += %D%/decode_pprof.py tests/data
