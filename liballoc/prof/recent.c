/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the records: a queue by age, and chains by address of those in use.
 * Writes nothing; recent_dump.c does.
 */
#include "config.h"

#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/recent_record.h"
#include "liballoc/prof/tables.h"

#define BUCKETS 4096u

struct lock recent_lock = LOCK_INIT(LOCK_PROF_RECENT);

/* All guarded by the lock; the maximum is also read without. */
ssize_t recent_wanted;
static struct recent_record *oldest, *newest;
static size_t record_count;
static struct recent_record *buckets[BUCKETS] __attribute__((aligned(4096)));

void recent_boot(void)
{
	recent_wanted = opt.prof_recent_alloc_max;
}

ssize_t recent_max(void)
{
	return __atomic_load_n(&recent_wanted, __ATOMIC_RELAXED);
}

static size_t most_records(void)
{
	size_t most = opt.prof_ledger_bytes / sizeof(struct recent_record);
	ssize_t max = recent_max();

	return max < 0 || (size_t)max > most ? most : (size_t)max;
}

static struct recent_record **link_to(uint64_t address)
{
	struct recent_record **link = &buckets[tables_mix(address) % BUCKETS];

	while (*link && (*link)->address != address)
		link = &(*link)->chain;
	return link;
}

static void unchain(struct recent_record *record)
{
	struct recent_record **link;

	if (record->released)
		return;
	link = link_to(record->address);
	if (*link)
		*link = record->chain;
	record->released = true;
}

static struct recent_record *take_oldest(void)
{
	struct recent_record *record = oldest;

	unchain(record);
	oldest = record->newer;
	if (!oldest)
		newest = NULL;
	record_count--;
	return record;
}

static void shrink(size_t most)
{
	while (record_count > most)
		metadata_free(take_oldest(), sizeof(struct recent_record));
}

ssize_t recent_set_max(ssize_t max)
{
	ssize_t old;

	thread_busy++;
	lock_take(&recent_lock);
	old = recent_wanted;
	__atomic_store_n(&recent_wanted, max, __ATOMIC_RELAXED);
	shrink(most_records());
	lock_release(&recent_lock);
	thread_busy--;
	return old;
}

bool recent_has(uint64_t address)
{
	bool has;

	thread_busy++;
	lock_take(&recent_lock);
	has = *link_to(address) != NULL;
	lock_release(&recent_lock);
	thread_busy--;
	return has;
}

static struct recent_thread thread_of(uint32_t row)
{
	const struct ledger_thread *thread = ledger_thread(row);
	struct recent_thread who = {.uid = ledger_get(&thread->uid)};

	/* Row 0 stands for many. */
	if (row != 0)
		ledger_thread_copy_name(row, who.name);
	return who;
}

/* A record that is in no list; NULL where there is no memory. */
static struct recent_record *take_record(void)
{
	size_t most = most_records();

	if (most == 0)
		return NULL;
	shrink(most);
	if (record_count == most)
		return take_oldest();
	return metadata_allocate(sizeof(struct recent_record));
}

static void append(struct recent_record *record)
{
	struct recent_record **link;

	if (newest)
		newest->newer = record;
	else
		oldest = record;
	newest = record;
	record_count++;
	/* One that is still there was freed unseen. */
	link = link_to(record->address);
	if (*link)
		unchain(*link);
	link = &buckets[tables_mix(record->address) % BUCKETS];
	record->chain = *link;
	*link = record;
}

void recent_add(const struct sampled *what, uint32_t stack)
{
	struct recent_record *record;

	lock_take(&recent_lock);
	record = take_record();
	if (record) {
		*record = (struct recent_record){
			.address = what->address,
			.requested_bytes = what->requested_bytes,
			.usable_bytes = what->usable_bytes,
			.allocated_ns = what->birth_ns,
			.allocated_by = thread_of(what->thread),
			.allocated_at = stack,
			.freed_at = TABLES_NONE,
		};
		append(record);
	}
	lock_release(&recent_lock);
}

void recent_freed(uint64_t address, uint32_t stack, uint32_t thread,
		  uint64_t now_ns)
{
	struct recent_record *record;

	lock_take(&recent_lock);
	record = *link_to(address);
	if (record) {
		unchain(record);
		record->freed_at = stack;
		record->freed_ns = now_ns;
		record->freed_by = thread_of(thread);
	}
	lock_release(&recent_lock);
}

void recent_reset(void)
{
	lock_take(&recent_lock);
	shrink(0);
	lock_release(&recent_lock);
}

size_t recent_count(void)
{
	size_t count;

	thread_busy++;
	lock_take(&recent_lock);
	count = record_count;
	lock_release(&recent_lock);
	thread_busy--;
	return count;
}

size_t recent_copy(struct recent_record *to, size_t room, ssize_t *max)
{
	struct recent_record *record;
	size_t count = 0;

	thread_busy++;
	lock_take(&recent_lock);
	*max = recent_wanted;
	for (record = oldest; record && count < room; record = record->newer)
		to[count++] = *record;
	lock_release(&recent_lock);
	thread_busy--;
	return count;
}

void recent_prefork(void)
{
	lock_take_for_fork(&recent_lock);
}

void recent_postfork_parent(void)
{
	lock_release_for_fork(&recent_lock);
}

void recent_postfork_child(void)
{
	lock_reset(&recent_lock);
}
