/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controls: prof.*, of the whole process.
 */
#include "config.h"

#include <errno.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"
#include "liballoc/heap/heap.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/class_sums.h"
#include "liballoc/prof/log.h"
#include "liballoc/prof/prof.h"

/* The switches, by row->number. */
static const struct prof_switch {
	bool (*get)(void);
	void (*set)(bool on);
} switches[] = {
	{prof_thread_active_init_get, prof_thread_active_init_set},
	{prof_active_get, prof_active_set},
	{prof_gdump_get, prof_gdump_set},
};

enum { THREAD_ACTIVE_INIT, ACTIVE, GDUMP };

static int get_switch(const struct ctl_call *call, uint64_t *value)
{
	*value = opt.prof && switches[call->row->number].get();
	return 0;
}

static int set_switch(const struct ctl_call *call, const uint64_t *value)
{
	switches[call->row->number].set(*value);
	return 0;
}

/* Switching off what is off already is no error. */
static int set_active(const struct ctl_call *call, const uint64_t *value)
{
	if (!opt.prof)
		return *value ? ENOENT : 0;
	return set_switch(call, value);
}

static const char *text_of(const uint64_t *value)
{
	return value ? (const char *)(uintptr_t)*value : NULL;
}

static int set_dump(const struct ctl_call *call, const uint64_t *value)
{
	(void)call;
	return prof_dump(text_of(value)) ? EFAULT : 0;
}

static int set_dump_peak(const struct ctl_call *call, const uint64_t *value)
{
	int error = prof_dump_peak(text_of(value));

	(void)call;
	return error && error != ENOENT ? EFAULT : error;
}

static int get_peak_bytes(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = ledger_get(&ledger_process()->prof_peak_bytes);
	return 0;
}

static int set_prefix(const struct ctl_call *call, const uint64_t *value)
{
	(void)call;
	return text_of(value) && prof_prefix_set(text_of(value)) == 0 ? 0
								      : EFAULT;
}

static int set_reset(const struct ctl_call *call, const uint64_t *value)
{
	size_t lg_sample = value ? *value : prof_lg_sample_get();

	(void)call;
	return prof_reset(lg_sample > 63 ? 63 : lg_sample);
}

static int start_log(const struct ctl_call *call, const uint64_t *value)
{
	(void)call;
	return log_start(text_of(value)) ? EFAULT : 0;
}

static int stop_log(const struct ctl_call *call, const uint64_t *value)
{
	(void)call;
	(void)value;
	return log_stop() ? EFAULT : 0;
}

static int get_interval(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = opt.prof && opt.lg_prof_interval >= 0
			 ? UINT64_C(1) << opt.lg_prof_interval
			 : 0;
	return 0;
}

static int get_lg_sample(const struct ctl_call *call, uint64_t *value)
{
	(void)call;
	*value = opt.prof ? prof_lg_sample_get() : 0;
	return 0;
}

/* number: the first class; text: which of the two sums. */
static int get_class_sums(const struct ctl_call *call,
			  const struct ctl_request *r)
{
	unsigned size_class = (unsigned)call->mib[3];
	struct class_sums sums;

	if (!opt.prof || !opt.prof_stats)
		return ENOENT;
	if (r->newp || r->newlen)
		return EPERM;
	if (call->row->number)
		size_class += heap_small_class_count();
	sums = call->row->text ? class_sums_live(size_class)
			       : class_sums_all(size_class);
	return ctl_give_value(r, &sums, sizeof(sums));
}

#define CLASS_ROW(name, is_large, is_live)                                     \
 CTL_ROW(name, CTL_VOID, CTL_READ_ONLY, .io = get_class_sums,                  \
	 .number = (is_large), .text = (is_live), .c_type = "prof_stats_t")

enum { FIRST_ROW = __COUNTER__ + 1 };

static void row_at(unsigned index, struct ctl_row *row)
{
	switch (index) {
		CTL_ROW("prof.thread_active_init", CTL_BOOL,
			CTL_SET_PROF | CTL_GIVE_LAST, .get = get_switch,
			.set = set_switch, .number = THREAD_ACTIVE_INIT);
		CTL_ROW("prof.active", CTL_BOOL, CTL_GIVE_LAST,
			.get = get_switch, .set = set_active, .number = ACTIVE);
		CTL_ROW("prof.dump", CTL_STRING, CTL_NEEDS_PROF,
			.set = set_dump);
		CTL_ROW("prof.dump_peak", CTL_STRING, CTL_NEEDS_PROF,
			.set = set_dump_peak);
		CTL_ROW("prof.peak_bytes", CTL_UINT64, .get = get_peak_bytes);
		CTL_ROW("prof.gdump", CTL_BOOL, CTL_SET_PROF | CTL_GIVE_LAST,
			.get = get_switch, .set = set_switch, .number = GDUMP);
		CTL_ROW("prof.prefix", CTL_STRING, CTL_NEEDS_PROF,
			.set = set_prefix);
		CTL_ROW("prof.log_start", CTL_STRING, CTL_NEEDS_PROF,
			.set = start_log);
		CTL_ROW("prof.log_stop", CTL_VOID,
			CTL_NEEDS_PROF | CTL_UNCHECKED, .set = stop_log);
		CTL_ROW("prof.reset", CTL_SIZE, CTL_NEEDS_PROF,
			.set = set_reset);
		CTL_ROW("prof.interval", CTL_UINT64, .get = get_interval);
		CTL_ROW("prof.lg_sample", CTL_SIZE, .get = get_lg_sample);
		CLASS_ROW("prof.stats.bins.<i>.live", 0, "live");
		CLASS_ROW("prof.stats.bins.<i>.accum", 0, NULL);
		CLASS_ROW("prof.stats.lextents.<i>.live", 1, "live");
		CLASS_ROW("prof.stats.lextents.<i>.accum", 1, NULL);
	}
}

const struct ctl_table ctl_prof_table = {row_at, __COUNTER__ - FIRST_ROW};
