# SPDX-License-Identifier: BSD-2-Clause
# Reads a busy process from outside; make check-reading does so for DURATION
# seconds.
if TOOLS
noinst_HEADERS += %D%/truth.h
TEST_UNITS += %D%/reading
%C%_reading_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_reading_LDADD = $(TOOL_LIBS)
check_PROGRAMS += %D%/busy
%C%_busy_CFLAGS = $(UNIT_CFLAGS) -O1 -fno-builtin
%C%_busy_LDADD = liballoc/liballoc.la -lpthread -ldl
check_LTLIBRARIES += %D%/loaded.la
%C%_loaded_la_LDFLAGS = -module -avoid-version -rpath /nowhere
endif

DURATION = 60
check-reading: all $(check_PROGRAMS) $(check_LTLIBRARIES)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) \
		READING_SECONDS='$(DURATION)' %D%/reading
.PHONY: check-reading
