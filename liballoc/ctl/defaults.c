/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in values of the options, in force until conf_boot() has read
 * the user's. Holds no logic.
 */
#include "config.h"

#include "liballoc/ctl/options.h"

struct options opt = {
	.stats_interval = -1,
	.zero_realloc = ZERO_REALLOC_FREE,
	.mutex_max_spin = 100,
	.dirty_decay_ms = 10 * 1000,
	.muzzy_decay_ms = 0,
	.max_background_threads = 4096,
	.retain = true,
	.tcache = true,
	.tcache_max = (size_t)4 << 20,
	.tcache_nslots_small_min = 4,
	.tcache_nslots_small_max = 256,
	.tcache_nslots_large = 8,
	.lg_tcache_nslots_mul = 1,
	.lg_tcache_flush_small_div = 1,
	.lg_tcache_flush_large_div = 1,
	.debug_double_free_max_scan = 32,
	.prof_guard_max = 256,
	.prof = true,
	.prof_active = true,
	.prof_thread_active_init = true,
	.lg_prof_sample = 19,
	.prof_accum = true,
	.prof_prefix = "jeprof",
	.lg_prof_interval = -1,
	.prof_unbias = true,
	.prof_dump_interval_ms = 10 * 1000,
	.prof_peak = true,
	.prof_bt_max = 128,
	.prof_ledger_bytes = (size_t)64 << 20,
	.ledger_export = true,
};
