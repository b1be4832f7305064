/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is made of the control groups: when to look, and what to do near the
 * limit. control_groups.c finds and reads the files. Owns the lock under which
 * that happens, which nobody waits for but fork.
 */
#include "config.h"

#include "liballoc/heap/container.h"

#include <errno.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/control_groups.h"
#include "liballoc/heap/exchange.h"
#include "liballoc/heap/lock.h"
#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/waiting.h"
#include "liballoc/ledger/ledger.h"
#include "liballoc/prof/prof.h"

#define REREAD_NS UINT64_C(1000000000)
/* In parts of 256 of the limit: where reserves begin to shrink, and tight. */
#define CAREFUL 192u
#define TIGHT 230u
/* Of the time, in hundredths of a percent, that some task waits for memory. */
#define TIGHT_PRESSURE 2000u
/* Between looks at the usage the heap may grow by so much at least. */
#define LEAST_STEP ((uint64_t)1 << 20)
/* A small program never looks. */
#define FIRST_STEP ((uint64_t)4 << 20)
#define MAX_STEP ((uint64_t)64 << 20)
/* Below it, caches as usual would be a good part of the memory. */
#define SMALL_BYTES ((uint64_t)512 << 20)

uint32_t container_scale = CONTAINER_FULL_SCALE;
uint32_t container_squeezes;
uint64_t container_look_at = FIRST_STEP;

static struct lock lock = LOCK_INIT(LOCK_CONTAINER);
static uint64_t read_ns;
static bool tight;
/* Guarded by lock. */
static struct group_memory memory;

/* Lock held. */
static unsigned allowed_cpus(unsigned cpus)
{
	unsigned machine = groups_machine_cpus(), quota;

	if (machine)
		cpus = machine;
	/* One or two make one arena: no need to look for the files. */
	quota = cpus > 2 ? groups_cpu_count() : 0;
	return quota && quota < cpus ? quota : cpus;
}

unsigned container_cpu_count(unsigned cpus)
{
	int kept_errno = errno;

	/* At boot there is one thread, but a library may boot us late. */
	if (!lock_try(&lock))
		return cpus;
	cpus = allowed_cpus(cpus);
	lock_release(&lock);
	errno = kept_errno;
	return cpus;
}

bool container_is_tight(void)
{
	return __atomic_load_n(&tight, __ATOMIC_RELAXED);
}

/* The heap's own share of an own limit. */
static uint64_t heap_bytes(void)
{
	return ledger_get(&ledger_process()->mapped) +
	       ledger_get(&ledger_process()->metadata);
}

static void read_memory(bool limits_too)
{
	if (opt.memory_limit > 0) {
		memory.limit = (uint64_t)opt.memory_limit;
		memory.usage = heap_bytes();
	} else if (opt.memory_limit == 0 && look_may()) {
		groups_read_memory(&memory, limits_too);
	} else if (opt.memory_limit == 0) {
		/* The limit as it was last, and of the usage what we know. */
		memory.usage = heap_bytes();
		memory.pressure = 0;
	}
}

/* How full it is, of 256. */
static unsigned fullness(void)
{
	if (!memory.limit || memory.limit == GROUP_NO_LIMIT)
		return 0;
	if (memory.usage >= memory.limit)
		return 256;
	return (unsigned)((unsigned __int128)memory.usage * 256 / memory.limit);
}

static uint32_t scale_for(unsigned full)
{
	uint32_t scale = CONTAINER_FULL_SCALE;

	if (memory.limit && memory.limit < SMALL_BYTES)
		scale /= 2;
	if (full >= TIGHT)
		return scale / 8;
	if (full > CAREFUL)
		scale -= scale * (full - CAREFUL) / (TIGHT - CAREFUL) * 7 / 8;
	return scale ? scale : 1;
}

static uint64_t next_step(void)
{
	uint64_t room, step;

	if (!memory.limit || memory.limit == GROUP_NO_LIMIT)
		return MAX_STEP;
	room = memory.limit > memory.usage ? memory.limit - memory.usage : 0;
	step = room / 16;
	if (step > MAX_STEP)
		return MAX_STEP;
	return step < LEAST_STEP ? LEAST_STEP : step;
}

static void publish(void)
{
	struct process_stats *process = ledger_process();
	bool known = memory.limit && memory.limit != GROUP_NO_LIMIT;

	ledger_set(&process->memory_limit, known ? memory.limit : 0);
	ledger_set(&process->memory_usage, known ? memory.usage : 0);
	ledger_set(&process->memory_pressure, memory.pressure);
}

/* Lock held. True where memory is tight. */
static bool look(size_t grown, uint64_t now)
{
	unsigned full;
	bool is_tight;

	read_memory(!read_ns || now - read_ns >= REREAD_NS);
	full = fullness();
	is_tight = full >= TIGHT || memory.pressure >= TIGHT_PRESSURE;
	__atomic_store_n(&container_scale, scale_for(is_tight ? 256 : full),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&tight, is_tight, __ATOMIC_RELAXED);
	__atomic_store_n(&container_look_at, grown + next_step(),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&read_ns, now, __ATOMIC_RELAXED);
	publish();
	return is_tight;
}

static bool is_time(size_t grown, uint64_t now)
{
	if (grown >= __atomic_load_n(&container_look_at, __ATOMIC_RELAXED))
		return true;
	return now - __atomic_load_n(&read_ns, __ATOMIC_RELAXED) >= REREAD_NS;
}

void container_look(size_t grown_bytes)
{
	bool act, was_tight = container_is_tight();
	uint64_t now;

	if (opt.memory_limit < 0)
		return;
	now = os_now_ns();
	if (!is_time(grown_bytes, now) || !lock_try(&lock))
		return;
	act = look(grown_bytes, now);
	lock_release(&lock);
	if (!act)
		return;
	if (!was_tight)
		prof_tight();
	ledger_add_shared(&ledger_process()->eager_purges, 1);
	__atomic_fetch_add(&container_squeezes, 1, __ATOMIC_RELAXED);
	exchange_flush();
	waiting_purge_all();
}

void container_prefork(void)
{
	lock_take_for_fork(&lock);
}

void container_postfork_parent(void)
{
	lock_release_for_fork(&lock);
}

/* The child's heap has not grown yet, and may be moved to another group. */
void container_postfork_child(void)
{
	lock_reset(&lock);
	container_look_at = FIRST_STEP;
	read_ns = 0;
}
