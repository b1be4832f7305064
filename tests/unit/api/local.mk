# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/extended %D%/every_map %D%/failing %D%/glibc %D%/model %D%/realloc %D%/standard %D%/sampled

%C%_sampled_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_sampled_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_sampled_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_extended_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_extended_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_extended_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_failing_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_failing_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_failing_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_model_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_model_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_model_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_realloc_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_realloc_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_realloc_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_standard_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_standard_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_standard_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_glibc_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS) -Wno-deprecated-declarations
%C%_glibc_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_glibc_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_every_map_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_every_map_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_every_map_LDADD = $(UNIT_LIBALLOC_LIBS)
