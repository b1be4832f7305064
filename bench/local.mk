# SPDX-License-Identifier: BSD-2-Clause
# make bench: allocators on the same programs, and jeprof against Perl jeprof.
# make check-instructions: instruction counts against those expected, and the
# order of functions against those that run.
noinst_PROGRAMS += %D%/latency %D%/loads/loads %D%/measure %D%/memory \
	%D%/pairs %D%/samples
%C%_latency_SOURCES = %D%/latency.c
%C%_memory_SOURCES = %D%/memory.c
%C%_memory_LDADD = -lpthread
%C%_measure_SOURCES = %D%/measure.c
%C%_measure_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_pairs_SOURCES = %D%/pairs.c
%C%_loads_loads_SOURCES = %D%/loads/load.h %D%/loads/main.c \
	%D%/loads/bursts.c %D%/loads/churn.c %D%/loads/exchange.c \
	%D%/loads/large.c %D%/loads/sharing.c %D%/loads/simple.c \
	%D%/loads/stress.c %D%/loads/trees.c
%C%_loads_loads_LDADD = -lpthread
%C%_samples_SOURCES = %D%/samples.c
%C%_samples_CFLAGS = $(LIBALLOC_CFLAGS)
%C%_samples_LDFLAGS = -static
%C%_samples_LDADD = liballoc/liballoc.la $(LIBUNWIND_LIBS) -lpthread
EXTRA_DIST += %D%/heavy.cc %D%/instructions %D%/instructions.expected \
	%D%/objects.py %D%/order %D%/puzzle.smt2 %D%/report.awk %D%/run \
	%D%/figures %D%/overhead %D%/overhead.awk \
	%D%/sqlite.sql %D%/trees.lua

dist_check_SCRIPTS += %D%/check.sh
TESTS += %D%/check.sh

bench: all
	$(AM_V_at)$(top_srcdir)/quickstart setup bench
	$(AM_V_at)$(top_srcdir)/%D%/run $(BENCH_FLAGS) $(abs_top_builddir)
	$(AM_V_at)$(top_srcdir)/%D%/figures $(FIGURES_FLAGS) $(abs_top_builddir)
bench-overhead: all
	$(AM_V_at)$(top_srcdir)/quickstart setup bench
	$(AM_V_at)$(top_srcdir)/%D%/overhead $(BENCH_FLAGS) $(abs_top_builddir)
check-instructions: all
	$(AM_V_at)$(top_srcdir)/%D%/instructions $(abs_top_builddir)
	$(AM_V_at)$(top_srcdir)/%D%/order --check $(abs_top_builddir)
clean-local: clean-bench
clean-bench:
	-rm -rf %D%/results %D%/results-quick \
		%D%/overhead-results %D%/overhead-results-quick %D%/figures.tsv
.PHONY: bench bench-overhead check-instructions clean-bench
