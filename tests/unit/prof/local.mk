# SPDX-License-Identifier: BSD-2-Clause
noinst_HEADERS += %D%/other_stack.h %D%/removal.h
TEST_UNITS += %D%/accuracy
TEST_UNITS += %D%/peak
TEST_UNITS += %D%/cfi %D%/estimate %D%/frees %D%/hooks %D%/json %D%/near_clock %D%/own_stack %D%/random %D%/requests %D%/row_index %D%/table_pages %D%/tables \
	%D%/unload %D%/unwind
%C%_accuracy_SOURCES = %D%/accuracy.c libjeheap/profile/estimate.c
%C%_accuracy_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_accuracy_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_accuracy_LDADD = $(UNIT_LIBALLOC_LIBS) -lm
%C%_cfi_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_cfi_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_cfi_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_estimate_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_estimate_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_estimate_LDADD = $(UNIT_LIBALLOC_LIBS) -lm
%C%_frees_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_frees_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_frees_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_peak_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_peak_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_peak_LDADD = $(UNIT_LIBALLOC_LIBS) -lpthread
%C%_hooks_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_hooks_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_hooks_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_json_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_json_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_json_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_near_clock_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_near_clock_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_near_clock_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_own_stack_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_own_stack_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_own_stack_LDADD = $(UNIT_LIBALLOC_LIBS) -lpthread
%C%_random_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_random_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_random_LDADD = $(UNIT_LIBALLOC_LIBS) -lm
%C%_requests_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_requests_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_requests_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_row_index_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_row_index_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_row_index_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_table_pages_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_table_pages_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_table_pages_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_tables_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_tables_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_tables_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_unwind_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_unwind_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_unwind_LDADD = $(UNIT_LIBALLOC_LIBS)
%C%_unload_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_unload_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_unload_LDADD = $(UNIT_LIBALLOC_LIBS)
check_LTLIBRARIES += %D%/frame_large.la %D%/frame_small.la
%C%_frame_large_la_SOURCES = %D%/frame.c
%C%_frame_large_la_CPPFLAGS = $(AM_CPPFLAGS) -DFRAME_BYTES=104
%C%_frame_large_la_LDFLAGS = -module -avoid-version -rpath /nowhere
%C%_frame_small_la_SOURCES = %D%/frame.c
%C%_frame_small_la_CPPFLAGS = $(AM_CPPFLAGS) -DFRAME_BYTES=24
%C%_frame_small_la_LDFLAGS = -module -avoid-version -rpath /nowhere

# Over 10,000 seeds, which takes minutes.
check-accuracy: %D%/accuracy
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) ACCURACY_SEEDS=10000 \
		%D%/accuracy
.PHONY: check-accuracy
