/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: version, epoch, background_thread, config.*, tcache.*.
 */
#include "config.h"

#include <errno.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"
#include "liballoc/heap/background.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/export.h"

#ifdef LIBALLOC_DEBUG
# define IS_DEBUG 1
#else
# define IS_DEBUG 0
#endif

static uint64_t epoch = 1;

static int get_epoch(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = __atomic_load_n(&epoch, __ATOMIC_RELAXED);
	return 0;
}

static int set_epoch(const struct ctl_call *call, const uint64_t *value)
{
	(void)call;
	(void)value;
	heap_publish();
	ledger_export_now();
	__atomic_fetch_add(&epoch, 1, __ATOMIC_RELAXED);
	return 0;
}

static int get_background_thread(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = background_get();
	return 0;
}

static int set_background_thread(const struct ctl_call *call,
				 const uint64_t *value)
{
	(void)call;
	return background_set(*value != 0) ? 0 : EFAULT;
}

static int get_max_background_threads(const struct ctl_call *call,
				      uint64_t *value)
{
	(void)call;
	*value = background_max();
	return 0;
}

static int set_max_background_threads(const struct ctl_call *call,
				      const uint64_t *value)
{
	(void)call;
	return background_set_max(*value) ? 0 : EINVAL;
}

static int get_tcache_create(const struct ctl_call *call, uint64_t *value)
{
	int index = heap_cache_create();

	(void)call;
	if (index < 0)
		return EAGAIN;
	*value = (unsigned)index;
	return 0;
}

static int set_tcache_flush(const struct ctl_call *call, const uint64_t *value)
{
	(void)call;
	return *value < HEAP_MAX_CACHES && heap_cache_flush((int)*value)
		       ? 0
		       : EFAULT;
}

static int set_tcache_destroy(const struct ctl_call *call,
			      const uint64_t *value)
{
	(void)call;
	return *value < HEAP_MAX_CACHES && heap_cache_destroy((int)*value)
		       ? 0
		       : EFAULT;
}

/* Where an option's text came from; empty: not from there. */
static int get_source(const struct ctl_call *call, uint64_t *value)
{
	const char *const texts[] = {
		option_sources.symlink, option_sources.env_var,
		option_sources.global_var, option_sources.global_var_2};

	*value = ctl_from_pointer(texts[call->row->number]);
	return 0;
}

#define CONSTANT(the_value) .get = ctl_get_number, .number = (the_value)
#define TEXT(the_text) .get = ctl_get_text, .text = (the_text)

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		CTL_ROW("version", CTL_STRING, TEXT(LIBALLOC_JEMALLOC_VERSION));
		CTL_ROW("epoch", CTL_UINT64, CTL_READ_LAST, .get = get_epoch,
			.set = set_epoch);
		CTL_ROW("background_thread", CTL_BOOL,
			.get = get_background_thread,
			.set = set_background_thread);
		CTL_ROW("max_background_threads", CTL_SIZE,
			.get = get_max_background_threads,
			.set = set_max_background_threads);
		CTL_ROW("config.cache_oblivious", CTL_BOOL, CONSTANT(false));
		CTL_ROW("config.debug", CTL_BOOL, CONSTANT(IS_DEBUG));
		CTL_ROW("config.fill", CTL_BOOL, CONSTANT(true));
		CTL_ROW("config.lazy_lock", CTL_BOOL, CONSTANT(false));
		CTL_ROW("config.malloc_conf", CTL_STRING, TEXT(""));
		CTL_ROW("config.opt_safety_checks", CTL_BOOL,
			CONSTANT(IS_DEBUG));
		CTL_ROW("config.prof", CTL_BOOL, CONSTANT(true));
		CTL_ROW("config.prof_libgcc", CTL_BOOL, CONSTANT(false));
		CTL_ROW("config.prof_libunwind", CTL_BOOL, CONSTANT(false));
		CTL_ROW("config.prof_frameptr", CTL_BOOL, CONSTANT(false));
		CTL_ROW("config.stats", CTL_BOOL, CONSTANT(true));
		CTL_ROW("config.utrace", CTL_BOOL, CONSTANT(false));
		CTL_ROW("config.xmalloc", CTL_BOOL, CONSTANT(true));
		CTL_ROW("opt.malloc_conf.symlink", CTL_STRING,
			.get = get_source, .number = 0);
		CTL_ROW("opt.malloc_conf.env_var", CTL_STRING,
			.get = get_source, .number = 1);
		CTL_ROW("opt.malloc_conf.global_var", CTL_STRING,
			.get = get_source, .number = 2);
		CTL_ROW("opt.malloc_conf.global_var_2_conf_harder", CTL_STRING,
			.get = get_source, .number = 3);
		CTL_ROW("tcache.create", CTL_UNSIGNED, CTL_MUST_READ,
			.get = get_tcache_create);
		CTL_ROW("tcache.flush", CTL_UNSIGNED, CTL_MUST_WRITE,
			.set = set_tcache_flush);
		CTL_ROW("tcache.destroy", CTL_UNSIGNED, CTL_MUST_WRITE,
			.set = set_tcache_destroy);
	}
}

const struct ctl_table ctl_general_table = {row_at, __COUNTER__ - FIRST_ROW};
