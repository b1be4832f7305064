# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/allocate.c %D%/alone.h %D%/arena.c %D%/arena.h %D%/background.c \
	%D%/background.h \
	%D%/apart.c %D%/apart.h %D%/arena_cache.c %D%/arena_cache.h %D%/arena_limits.c %D%/arena_reset.c %D%/bin.c %D%/bin.h \
	%D%/boot.c %D%/cache.c %D%/cache.h %D%/caches.c %D%/container.c %D%/container.h \
	%D%/control_groups.c %D%/control_groups.h %D%/decay.c \
	%D%/decay.h %D%/emergency.c %D%/exchange.c %D%/exchange.h \
	%D%/extent.h %D%/extent_hooks.c \
	%D%/extent_hooks.h %D%/fast.h %D%/fork.c \
	%D%/free.c %D%/heap.h %D%/huge.c %D%/huge.h %D%/internal.h %D%/large_cache.c %D%/large_cache.h \
	%D%/lock.c %D%/lock.h %D%/looks.c %D%/looks.h \
	%D%/marks.c %D%/marks.h \
	%D%/metadata.c %D%/metadata.h %D%/move.c %D%/move.h %D%/observe.c %D%/observe.h %D%/os.c %D%/os.h %D%/page_heap.c \
	%D%/page_heap.h %D%/page_map.c %D%/page_map.h %D%/purge.c \
	%D%/reallocate.c %D%/recent_runs.h %D%/residency.c %D%/residency.h %D%/run_set.c %D%/run_set.h %D%/size_class.c %D%/size_class.h \
	%D%/slab.c %D%/slab.h %D%/slab_samples.c %D%/slab_samples.h %D%/sparse.c %D%/sparse.h %D%/sparse_runs.h %D%/steps.c %D%/steps.h %D%/thread.c %D%/thread.h %D%/use.c \
	%D%/vdso.c %D%/vdso.h \
	%D%/waiting.c %D%/waiting.h
