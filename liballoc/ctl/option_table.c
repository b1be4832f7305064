/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of the options, in the order in which they are printed, and those
 * of jemalloc's options that are accepted without effect. Holds no logic but
 * look-up.
 */
#include "config.h"

#include "liballoc/ctl/option_table.h"

#include <limits.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"

#define FIELD(field) .offset = offsetof(struct options, field)
#define RANGE(low, high) .min = (low), .max = (high)
#define CAPACITY(field) .max = (int64_t)sizeof(((struct options *)0)->field)

/* The longest decay time whose nanoseconds a signed word holds. */
#define DECAY_MAX_MS (INT64_MAX / 1000000)

const struct option_row option_rows[] = {
	{"opt.abort", OPTION_BOOL, FIELD(abort)},
	{"opt.abort_conf", OPTION_BOOL, FIELD(abort_conf)},
	{"opt.confirm_conf", OPTION_BOOL, FIELD(confirm_conf)},
	{"opt.retain", OPTION_BOOL, FIELD(retain)},
	{"opt.dss", OPTION_WORD, FIELD(dss), .words = OPTION_DSS_WORDS},
	{"opt.narenas", OPTION_UNSIGNED, FIELD(narenas),
	 RANGE(1, HEAP_MAX_ARENAS - 1), .clip_above = true, .automatic = true},
	{"opt.percpu_arena", OPTION_WORD, FIELD(percpu_arena),
	 .words = OPTION_PERCPU_ARENA_WORDS},
	{"opt.mutex_max_spin", OPTION_INT64, FIELD(mutex_max_spin),
	 RANGE(-1, INT64_MAX)},
	{"opt.dirty_decay_ms", OPTION_SSIZE, FIELD(dirty_decay_ms),
	 RANGE(-1, DECAY_MAX_MS)},
	{"opt.muzzy_decay_ms", OPTION_SSIZE, FIELD(muzzy_decay_ms),
	 RANGE(-1, DECAY_MAX_MS)},
	{"opt.dirty_limit", OPTION_SSIZE, FIELD(dirty_limit),
	 RANGE(-1, INT64_MAX), .automatic = true},
	{"opt.oversize_threshold", OPTION_SIZE, FIELD(oversize_threshold),
	 RANGE(0, INT64_MAX)},
	{"opt.thp", OPTION_WORD, FIELD(thp), .words = OPTION_THP_WORDS},
	{"opt.memory_limit", OPTION_SSIZE, FIELD(memory_limit),
	 RANGE(-1, INT64_MAX), .automatic = true},
	{"opt.cgroup_root", OPTION_STRING, FIELD(cgroup_root),
	 CAPACITY(cgroup_root)},
	{"opt.background_thread", OPTION_BOOL, FIELD(background_thread)},
	{"opt.max_background_threads", OPTION_SIZE,
	 FIELD(max_background_threads), RANGE(1, 4096), .clip = true},
	{"opt.trust_madvise", OPTION_BOOL, FIELD(trust_madvise)},
	{"opt.junk", OPTION_WORD, FIELD(junk), .words = OPTION_JUNK_WORDS},
	{"opt.zero", OPTION_BOOL, FIELD(zero)},
	{"opt.debug_double_free_max_scan", OPTION_UNSIGNED,
	 FIELD(debug_double_free_max_scan), RANGE(0, UINT_MAX)},
	{"opt.prof_guard", OPTION_UNSIGNED, FIELD(prof_guard),
	 RANGE(0, UINT_MAX)},
	{"opt.prof_guard_max", OPTION_UNSIGNED, FIELD(prof_guard_max),
	 RANGE(8, 16384), .clip = true},
	{"opt.xmalloc", OPTION_BOOL, FIELD(xmalloc)},
	{"opt.experimental_infallible_new", OPTION_BOOL,
	 FIELD(experimental_infallible_new)},
	{"opt.tcache", OPTION_BOOL, FIELD(tcache)},
	{"opt.tcache_max", OPTION_SIZE, FIELD(tcache_max),
	 RANGE(0, OPTION_TCACHE_MAX_BYTES), .clip = true},
	{"opt.tcache_nslots_small_min", OPTION_UNSIGNED,
	 FIELD(tcache_nslots_small_min), RANGE(1, OPTION_TCACHE_MAX_SLOTS),
	 .clip = true},
	{"opt.tcache_nslots_small_max", OPTION_UNSIGNED,
	 FIELD(tcache_nslots_small_max), RANGE(1, OPTION_TCACHE_MAX_SLOTS),
	 .clip = true},
	{"opt.tcache_nslots_large", OPTION_UNSIGNED, FIELD(tcache_nslots_large),
	 RANGE(1, OPTION_TCACHE_MAX_SLOTS), .clip = true},
	{"opt.lg_tcache_nslots_mul", OPTION_SSIZE, FIELD(lg_tcache_nslots_mul),
	 RANGE(-16, 16), .clip = true},
	{"opt.tcache_gc_incr_bytes", OPTION_SIZE, FIELD(tcache_gc_incr_bytes),
	 RANGE(1024, INT64_MAX), .clip = true, .automatic = true},
	{"opt.tcache_gc_delay_bytes", OPTION_SIZE, FIELD(tcache_gc_delay_bytes),
	 RANGE(0, INT64_MAX)},
	{"opt.lg_tcache_flush_small_div", OPTION_UNSIGNED,
	 FIELD(lg_tcache_flush_small_div), RANGE(1, 16), .clip = true},
	{"opt.lg_tcache_flush_large_div", OPTION_UNSIGNED,
	 FIELD(lg_tcache_flush_large_div), RANGE(1, 16), .clip = true},
	{"opt.stats_print", OPTION_BOOL, FIELD(stats_print)},
	{"opt.stats_print_opts", OPTION_LETTERS, FIELD(stats_print_opts),
	 CAPACITY(stats_print_opts)},
	{"opt.stats_interval", OPTION_INT64, FIELD(stats_interval),
	 RANGE(-1, INT64_MAX)},
	{"opt.stats_interval_opts", OPTION_LETTERS, FIELD(stats_interval_opts),
	 CAPACITY(stats_interval_opts)},
	{"opt.zero_realloc", OPTION_WORD, FIELD(zero_realloc),
	 .words = OPTION_ZERO_REALLOC_WORDS},
	{"opt.prof", OPTION_BOOL, FIELD(prof)},
	{"opt.prof_prefix", OPTION_STRING, FIELD(prof_prefix),
	 CAPACITY(prof_prefix)},
	{"opt.prof_pid_namespace", OPTION_BOOL, FIELD(prof_pid_namespace)},
	{"opt.prof_active", OPTION_BOOL, FIELD(prof_active)},
	{"opt.prof_thread_active_init", OPTION_BOOL,
	 FIELD(prof_thread_active_init)},
	{"opt.lg_prof_sample", OPTION_SIZE, FIELD(lg_prof_sample), RANGE(0, 63),
	 .clip_above = true},
	{"opt.prof_accum", OPTION_BOOL, FIELD(prof_accum)},
	{"opt.lg_prof_interval", OPTION_SSIZE, FIELD(lg_prof_interval),
	 RANGE(-1, 63)},
	{"opt.prof_gdump", OPTION_BOOL, FIELD(prof_gdump)},
	{"opt.prof_dump_above", OPTION_AMOUNT, FIELD(prof_dump_above)},
	{"opt.prof_dump_step", OPTION_AMOUNT, FIELD(prof_dump_step)},
	{"opt.prof_dump_tight", OPTION_BOOL, FIELD(prof_dump_tight)},
	{"opt.prof_dump_interval_ms", OPTION_SIZE, FIELD(prof_dump_interval_ms),
	 RANGE(0, DECAY_MAX_MS)},
	{"opt.prof_dump_keep", OPTION_UNSIGNED, FIELD(prof_dump_keep),
	 RANGE(0, OPTION_DUMPS_KEPT_MAX)},
	{"opt.prof_signal", OPTION_WORD, FIELD(prof_signal),
	 .words = OPTION_SIGNAL_WORDS},
	{"opt.prof_final", OPTION_BOOL, FIELD(prof_final)},
	{"opt.prof_peak", OPTION_BOOL, FIELD(prof_peak)},
	{"opt.prof_peak_final", OPTION_BOOL, FIELD(prof_peak_final)},
	{"opt.prof_leak", OPTION_BOOL, FIELD(prof_leak)},
	{"opt.prof_leak_error", OPTION_BOOL, FIELD(prof_leak_error)},
	{"opt.prof_stats", OPTION_BOOL, FIELD(prof_stats)},
	{"opt.prof_sys_thread_name", OPTION_BOOL, FIELD(prof_sys_thread_name)},
	{"opt.prof_unbias", OPTION_BOOL, FIELD(prof_unbias)},
	{"opt.prof_time_resolution", OPTION_WORD, FIELD(prof_time_resolution),
	 .words = OPTION_TIME_RESOLUTION_WORDS},
	{"opt.prof_log", OPTION_BOOL, FIELD(prof_log)},
	{"opt.prof_recent_alloc_max", OPTION_SSIZE,
	 FIELD(prof_recent_alloc_max), RANGE(-1, INT64_MAX)},
	{"opt.prof_control", OPTION_BOOL, FIELD(prof_control)},
	{"opt.prof_frame_pointers", OPTION_BOOL, FIELD(prof_frame_pointers)},
	{"opt.prof_bt_max", OPTION_UNSIGNED, FIELD(prof_bt_max), RANGE(1, 128),
	 .clip = true},
	{"opt.prof_seed", OPTION_SIZE, FIELD(prof_seed), RANGE(0, INT64_MAX)},
	{"opt.prof_ledger_bytes", OPTION_SIZE, FIELD(prof_ledger_bytes),
	 RANGE(1 << 20, INT64_C(1) << 40), .clip = true},
	{"opt.ledger_export", OPTION_BOOL, FIELD(ledger_export)},
};

const unsigned option_count = sizeof(option_rows) / sizeof(option_rows[0]);

/* One behind the other, the last ended by an empty one. */
static const char *words_of(enum option_words words)
{
	switch (words) {
	case OPTION_NO_WORDS:
		break;
	case OPTION_DSS_WORDS:
		return "disabled\0";
	/* In the order of the enums in options.h. */
	case OPTION_JUNK_WORDS:
		return "false\0true\0alloc\0free\0";
	case OPTION_PERCPU_ARENA_WORDS:
		return "disabled\0percpu\0phycpu\0";
	case OPTION_THP_WORDS:
		return "default\0always\0never\0filled\0";
	case OPTION_ZERO_REALLOC_WORDS:
		return "alloc\0free\0abort\0";
	/* In the order of the numbers in prof/signal.c. */
	case OPTION_SIGNAL_WORDS:
		return "none\0SIGHUP\0SIGQUIT\0SIGUSR1\0SIGUSR2\0SIGURG\0"
		       "SIGPROF\0SIGWINCH\0SIGIO\0SIGPWR\0";
	/* As in log_write.c. Times are to the nanosecond with either. */
	case OPTION_TIME_RESOLUTION_WORDS:
		return "default\0high\0";
	}
	return "";
}

const char *option_word(const struct option_row *row, unsigned index)
{
	const char *word = words_of(row->words);

	while (index > 0 && *word != '\0') {
		word += strlen(word) + 1;
		index--;
	}
	return *word != '\0' ? word : NULL;
}

const char *option_key(const struct option_row *row)
{
	return row->name + sizeof("opt.") - 1;
}

const struct option_ignored option_ignored_rows[] = {
	{"bin_shards", ""},
	{"cache_oblivious", "true|false"},
	{"disable_large_size_classes", "false"},
	{"hpa", "false"},
	{"hpa_dirty_mult", ""},
	{"hpa_hugification_threshold", ""},
	{"hpa_hugification_threshold_ratio", ""},
	{"hpa_hugify_delay_ms", ""},
	{"hpa_min_purge_interval_ms", ""},
	{"hpa_sec_batch_fill_extra", ""},
	{"hpa_sec_bytes_after_flush", ""},
	{"hpa_sec_max_alloc", ""},
	{"hpa_sec_max_bytes", ""},
	{"hpa_sec_nshards", ""},
	{"hpa_slab_max_alloc", ""},
	{"lg_extent_max_active_fit", ""},
	{"lg_san_uaf_align", "-1"},
	{"metadata_thp", "disabled|auto|always"},
	{"san_guard_large", "0"},
	{"san_guard_small", "0"},
	{"slab_sizes", ""},
	{"utrace", "false"},
};

const unsigned option_ignored_count =
	sizeof(option_ignored_rows) / sizeof(option_ignored_rows[0]);
