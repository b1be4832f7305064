# SPDX-License-Identifier: BSD-2-Clause
# Programs that wear the allocator out, small in make check; make check-stress
# runs them long, with the options that change how it works, and with little
# memory.
noinst_HEADERS += %D%/stress.h
EXTRA_DIST += %D%/long.sh %D%/renamed.h %D%/tsan.sh
TEST_UNITS += %D%/api %D%/loads

%C%_api_SOURCES = %D%/api.c fuzz/allocator.c
%C%_api_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_api_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_api_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_loads_CFLAGS = $(UNIT_CFLAGS)
%C%_loads_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_loads_LDADD = $(UNIT_LIBALLOC_LIBS)

check-stress: %D%/api %D%/loads
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) \
		$(SHELL) $(top_srcdir)/build-aux/run-tap \
		$(top_srcdir)/%D%/long.sh
.PHONY: check-stress

# ThreadSanitizer brings a malloc of its own, so liballoc's files are compiled
# with the loads under other names: its locks and atomics are what is checked.
check-tsan-liballoc: all
	$(AM_V_at)LIBALLOC_SOURCES='$(liballoc_liballoc_la_SOURCES)' \
		CPPFLAGS='$(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS)' \
		CC='$(CC)' $(SHELL) $(top_srcdir)/%D%/tsan.sh $(top_srcdir)
.PHONY: check-tsan-liballoc
