/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profiler's switches, as mallctl sets them. Owns prof_state, and the
 * words of the ledger's header that mirror it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"
#include "liballoc/prof/random.h"
#include "liballoc/prof/state.h"
#include "liballoc/prof/tables.h"

struct prof_state prof_state = {.thread_active_init = true};

static bool get(const bool *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void set(bool *word, bool value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

void prof_state_set_rate(unsigned lg_sample)
{
	if (lg_sample > PROF_LG_SAMPLE_MAX)
		lg_sample = PROF_LG_SAMPLE_MAX;
	__atomic_store_n(&prof_state.lg_sample, lg_sample, __ATOMIC_RELAXED);
	__atomic_store_n(&ledger_header()->lg_sample, lg_sample,
			 __ATOMIC_RELAXED);
}

size_t prof_lg_sample_get(void)
{
	return prof_state_rate();
}

bool prof_active_get(void)
{
	return prof_state_active();
}

void prof_active_set(bool active)
{
	uint32_t *flags = &ledger_header()->flags;

	if (!prof_state.ready)
		return;
	set(&prof_state.active, active);
	if (active)
		__atomic_fetch_or(flags, LEDGER_PROF_ACTIVE, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(flags, ~LEDGER_PROF_ACTIVE,
				   __ATOMIC_RELAXED);
}

bool prof_gdump_get(void)
{
	return get(&prof_state.gdump);
}

void prof_gdump_set(bool on)
{
	set(&prof_state.gdump, on);
}

bool prof_thread_active_init_get(void)
{
	return get(&prof_state.thread_active_init);
}

void prof_thread_active_init_set(bool on)
{
	set(&prof_state.thread_active_init, on);
}

int prof_reset(size_t lg_sample)
{
	if (!prof_state.ready)
		return ENOENT;
	lock_take(&tables_dump_lock);
	prof_state_set_rate(lg_sample < PROF_LG_SAMPLE_MAX
				    ? (unsigned)lg_sample
				    : PROF_LG_SAMPLE_MAX);
	tables_reset();
	lock_release(&tables_dump_lock);
	return 0;
}

/* isgraph() and isblank() of the C locale. */
static bool is_name_character(char c)
{
	return (c >= '!' && c <= '~') || c == ' ' || c == '\t';
}

/* Lines of dumps end at control characters, which the system allows. */
void prof_thread_name_follow(struct thread *thread)
{
	char name[16] = "";

	if (!opt.prof_sys_thread_name || prctl(PR_GET_NAME, name, 0, 0, 0) != 0)
		return;
	name[sizeof(name) - 1] = '\0';
	for (char *c = name; *c; c++)
		if ((*c > 0 && *c < ' ') || *c == 0x7f)
			*c = '?';
	ledger_thread_set_name(thread->prof.ledger_row, name);
}

int prof_thread_name_set(struct thread *thread, const char *name)
{
	if (opt.prof_sys_thread_name)
		return ENOENT;
	if (!thread || thread->prof.ledger_row == 0)
		return EAGAIN;
	if (!name)
		return EFAULT;
	for (const char *c = name; *c; c++)
		if (!is_name_character(*c))
			return EFAULT;
	ledger_thread_set_name(thread->prof.ledger_row, name);
	return 0;
}

const char *prof_thread_name_get(struct thread *thread)
{
	if (!thread || thread->prof.ledger_row == 0)
		return "";
	return ledger_thread(thread->prof.ledger_row)->name;
}
