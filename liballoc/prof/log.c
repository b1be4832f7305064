/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the log. What is under way is taken off under the lock, and written
 * outside of it: frees go on meanwhile, and are not logged.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/metadata.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/thread.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/files.h"
#include "liballoc/prof/log_record.h"
#include "liballoc/prof/tables.h"

#define BUCKETS 256u

static struct lock lock = LOCK_INIT(LOCK_PROF_LOG);

/* All guarded by the lock; the switch is also read without. */
bool log_on;
static struct log current;
static struct log_thread *buckets[BUCKETS] __attribute__((aligned(4096)));
static char path_wanted[DUMP_NAME_BYTES];
static bool path_asked_for; /* by the program */

/* NULL where the log is full, or memory is short. */
static void *take_memory(size_t bytes)
{
	void *memory = NULL;

	if (bytes <= opt.prof_ledger_bytes - current.bytes)
		memory = metadata_allocate(bytes);
	if (memory)
		current.bytes += bytes;
	return memory;
}

static struct log_thread *add_thread(uint32_t row, uint64_t uid,
				     struct log_thread **bucket)
{
	struct log_thread *thread = take_memory(sizeof(*thread));

	if (!thread)
		return NULL;
	thread->uid = uid;
	thread->index = current.thread_count++;
	/* Row 0 stands for many. */
	if (row != 0)
		ledger_thread_copy_name(row, thread->name);
	thread->chain = *bucket;
	*bucket = thread;
	if (current.last_thread)
		current.last_thread->next = thread;
	else
		current.threads = thread;
	current.last_thread = thread;
	return thread;
}

static struct log_thread *thread_of(uint32_t row)
{
	uint64_t uid = ledger_get(&ledger_thread(row)->uid);
	struct log_thread **bucket = &buckets[tables_mix(uid) % BUCKETS];
	struct log_thread *thread = *bucket;

	while (thread && thread->uid != uid)
		thread = thread->chain;
	return thread ? thread : add_thread(row, uid, bucket);
}

static struct log_record *new_record(void)
{
	struct log_chunk *chunk = current.last_chunk;

	if (chunk && chunk->count < LOG_CHUNK_RECORDS)
		return &chunk->records[chunk->count++];
	chunk = take_memory(sizeof(*chunk));
	if (!chunk)
		return NULL;
	if (current.last_chunk)
		current.last_chunk->next = chunk;
	else
		current.chunks = chunk;
	current.last_chunk = chunk;
	return &chunk->records[chunk->count++];
}

static bool add(const struct logged *free)
{
	struct log_thread *allocated_by = thread_of(free->allocated_by);
	struct log_thread *freed_by = thread_of(free->freed_by);
	struct log_record *record;

	if (!allocated_by || !freed_by)
		return false;
	record = new_record();
	if (!record)
		return false;
	*record = (struct log_record){
		.usable_bytes = free->usable_bytes,
		.allocated_ns = free->allocated_ns,
		.freed_ns = free->freed_ns,
		.allocated_by = allocated_by->index,
		.freed_by = freed_by->index,
		.allocated_at = free->allocated_at,
		.freed_at = free->freed_at,
	};
	return true;
}

void log_add(const struct logged *free)
{
	lock_take(&lock);
	if (log_on && !add(free))
		current.dropped++;
	lock_release(&lock);
}

static void drop(struct log *log)
{
	while (log->chunks) {
		struct log_chunk *chunk = log->chunks;

		log->chunks = chunk->next;
		metadata_free(chunk, sizeof(*chunk));
	}
	while (log->threads) {
		struct log_thread *thread = log->threads;

		log->threads = thread->next;
		metadata_free(thread, sizeof(*thread));
	}
}

/* Holding the lock: what was logged, which is the caller's now. */
static struct log take_off(void)
{
	struct log log = current;

	current = (struct log){.start_ns = log.start_ns};
	memset(buckets, 0, sizeof(buckets));
	return log;
}

void log_reset(void)
{
	struct log log;

	lock_take(&lock);
	log = take_off();
	lock_release(&lock);
	drop(&log);
}

/* Holding the dump lock and the lock. */
static int start(const char *path)
{
	if (log_on)
		return EALREADY;
	if (!path && files_have_no_name())
		return ENOENT;
	if (path && strlen(path) >= OPTION_PATH_BYTES)
		return ENAMETOOLONG;
	path_asked_for = path != NULL;
	if (path)
		strcpy(path_wanted, path);
	else
		files_log_name(path_wanted);
	current.start_ns = os_clock_ns();
	__atomic_store_n(&log_on, true, __ATOMIC_RELAXED);
	return 0;
}

int log_start(const char *path)
{
	int error;

	lock_take(&tables_dump_lock);
	thread_busy++;
	lock_take(&lock);
	error = start(path);
	lock_release(&lock);
	thread_busy--;
	lock_release(&tables_dump_lock);
	return error;
}

__attribute__((cold)) void log_boot(void)
{
	if (opt.prof_log && log_start(NULL) != 0)
		warning("prof_log: there is no prof_prefix to name a log by",
			NULL);
}

/* Holding the dump lock: takes the log off, and where it is to be written. */
static bool stop(struct log *log, char path[DUMP_NAME_BYTES], bool *asked_for)
{
	bool was_on;

	thread_busy++;
	lock_take(&lock);
	was_on = log_on;
	if (log_on) {
		__atomic_store_n(&log_on, false, __ATOMIC_RELAXED);
		memcpy(path, path_wanted, DUMP_NAME_BYTES);
		*asked_for = path_asked_for;
		*log = take_off();
	}
	lock_release(&lock);
	thread_busy--;
	return was_on;
}

static int stop_and_write(char path[DUMP_NAME_BYTES])
{
	int error = EINVAL, cancel;
	bool asked_for;
	struct log log;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	path[0] = '\0';
	lock_take(&tables_dump_lock);
	if (stop(&log, path, &asked_for)) {
		error = log_write(&log, path, asked_for);
		drop(&log);
	}
	lock_release(&tables_dump_lock);
	pthread_setcancelstate(cancel, NULL);
	return error;
}

int log_stop(void)
{
	struct thread *thread = thread_peek();
	char path[DUMP_NAME_BYTES], reason[FILES_REASON_BYTES];
	int error, kept_errno = errno;

	/* Nothing of this is sampled. */
	if (thread)
		thread->reentrancy++;
	error = stop_and_write(path);
	if (error && path[0])
		message("cannot write the log ", path, ": ",
			files_reason(reason, error), NULL);
	if (thread)
		thread->reentrancy--;
	errno = kept_errno;
	return error;
}

void log_exit(void)
{
	if (log_is_on())
		(void)log_stop();
}

void log_prefork(void)
{
	lock_take_for_fork(&lock);
}

void log_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

/* The parent writes what was logged so far, and to its file. */
void log_postfork_child(void)
{
	struct log log;

	lock_reset(&lock);
	log = take_off();
	drop(&log);
	log_on = false;
	if (opt.prof_log)
		(void)start(NULL);
}
