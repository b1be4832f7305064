# SPDX-License-Identifier: BSD-2-Clause
# payments: the bundled service that the demonstration and many tests run.
# It is built plainly, to be run on any allocator by LD_PRELOAD.
noinst_PROGRAMS += %D%/payments/payments
%C%_payments_payments_SOURCES = \
	%D%/payments/cache.c %D%/payments/cache.h \
	%D%/payments/declines.c %D%/payments/declines.h \
	%D%/payments/gateway.c %D%/payments/gateway.h \
	%D%/payments/journal.c %D%/payments/journal.h \
	%D%/payments/main.c %D%/payments/random.h \
	%D%/payments/report.c %D%/payments/report.h \
	%D%/payments/session.c %D%/payments/session.h \
	%D%/payments/subsystem.c %D%/payments/subsystem.h
%C%_payments_payments_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_payments_payments_LDADD = -lpthread
EXTRA_DIST += %D%/tour.sh
