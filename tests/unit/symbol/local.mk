# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/demangle %D%/garbled %D%/vdso
%C%_vdso_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_vdso_LDADD = $(TOOL_LIBS)
%C%_demangle_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_demangle_LDADD = $(TOOL_LIBS)
%C%_garbled_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_garbled_LDADD = $(TOOL_LIBS)

# What the shell tests ask for names.
check_PROGRAMS += %D%/symbolize
%C%_symbolize_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_symbolize_LDADD = $(TOOL_LIBS)
TESTS += %D%/names.sh %D%/files.sh
dist_check_SCRIPTS += %D%/names.sh %D%/files.sh
