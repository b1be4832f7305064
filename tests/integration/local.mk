# SPDX-License-Identifier: BSD-2-Clause
# Real programs from outside. programs.sh needs programs that the build does
# not, so it runs by make check-programs alone.
dist_check_SCRIPTS += %D%/payments.sh %D%/prof_dumps.sh %D%/prof_history.sh %D%/prof_stacks.sh %D%/prof_triggers.sh %D%/quickstart.sh
TESTS += %D%/payments.sh %D%/prof_dumps.sh %D%/prof_history.sh %D%/prof_stacks.sh %D%/prof_triggers.sh %D%/quickstart.sh

EXTRA_DIST += %D%/prof/churn.h %D%/prof/exercise.c %D%/prof/history.c %D%/prof/history.py \
	%D%/prof/library.c %D%/prof/shape.py %D%/prof/framed.c %D%/prof/stacks.c %D%/prof/throw.cc %D%/prof/trigger.c \
	%D%/programs.sh %D%/programs/git.sh %D%/programs/redis.sh \
	%D%/programs/shell.sh %D%/programs/workload.cc \
	%D%/programs/workload.js %D%/programs/workload.pl \
	%D%/programs/workload.sql

check-programs: all
	$(AM_V_at)$(top_srcdir)/quickstart setup programs
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) \
		$(SHELL) $(top_srcdir)/build-aux/run-tap \
		$(top_srcdir)/%D%/programs.sh
.PHONY: check-programs

if TOOLS
dist_check_SCRIPTS += %D%/perl-jeprof.sh %D%/static.sh %D%/tour.sh
TESTS += %D%/perl-jeprof.sh %D%/static.sh %D%/tour.sh
include %D%/live/local.mk
endif
EXTRA_DIST += %D%/perl-jeprof.cc %D%/static/everything.c
include %D%/accuracy/local.mk
dist_check_SCRIPTS += %D%/prof_python.sh
TESTS += %D%/prof_python.sh
EXTRA_DIST += %D%/prof/imports.py %D%/prof/peak.c
