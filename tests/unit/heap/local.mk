# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/cache %D%/decay %D%/emergency %D%/extent_hooks %D%/lock %D%/metadata \
	%D%/page_heap %D%/page_map %D%/run_set %D%/size_class %D%/slab %D%/forked %D%/destroyed %D%/address_space

%C%_address_space_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_address_space_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_address_space_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_destroyed_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_destroyed_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_destroyed_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_forked_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_forked_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_forked_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_decay_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_decay_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_decay_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_lock_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_lock_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_lock_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_metadata_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_metadata_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_metadata_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_page_heap_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_page_heap_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_page_heap_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_page_map_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_page_map_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_page_map_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_run_set_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_run_set_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_run_set_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_size_class_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_size_class_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_size_class_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_slab_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_slab_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_slab_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_cache_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_cache_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_cache_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_emergency_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_emergency_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_emergency_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_extent_hooks_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_extent_hooks_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_extent_hooks_LDADD = $(UNIT_LIBALLOC_LIBS)

TEST_UNITS += %D%/large_cache
%C%_large_cache_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_large_cache_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_large_cache_LDADD = $(UNIT_LIBALLOC_LIBS)
