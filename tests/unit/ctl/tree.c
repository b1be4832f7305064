/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of controls: each row by name and by numbers, with right and wrong
 * lengths, read where it may be and where it may not; then what the ones with
 * an effect do.
 */
#include "config.h"

#include "liballoc/ctl/tree.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "liballoc/ctl/ctl.h"
#include "liballoc/heap/heap.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "tap/tap.h"

/* The row's name, indices being 0. */
static void instance(const struct ctl_row *row, char *name)
{
	for (const char *p = row->name; *p; p++) {
		if (*p != '<') {
			*name++ = *p;
			continue;
		}
		*name++ = '0';
		p += 2;
	}
	*name = '\0';
}

static size_t bytes_of(const struct ctl_row *row)
{
	switch (row->type) {
	case CTL_VOID:
		return 0;
	case CTL_BOOL:
		return 1;
	case CTL_UINT32:
	case CTL_UNSIGNED:
		return 4;
	default:
		return 8;
	}
}

/* A read with too short, too long and no lengths copies what fits. */
static bool reads_by_length(const char *name, size_t right)
{
	const uint64_t pattern = UINT64_C(0xa5a5a5a5a5a5a5a5);

	for (size_t length = 0; length <= 16; length++) {
		uint64_t old[2] = {pattern, pattern};
		size_t got = length;
		int error = mallctl(name, old, &got, NULL, 0);
		size_t fits = length < right ? length : right;

		if (error != (length == right ? 0 : EINVAL) || got != fits)
			return false;
		if (memcmp((char *)old + fits, (const char *)&pattern,
			   8 - fits % 8) != 0)
			return false;
	}
	return mallctl(name, NULL, NULL, NULL, 0) == 0;
}

static void test_readable(const struct ctl_row *row, const char *name)
{
	uint64_t value = 0, again = 1;
	size_t length = bytes_of(row), mib[CTL_MAX_DEPTH], depth = 9;

	ok(reads_by_length(name, length), "%s reads by its length", name);
	ok(mallctlnametomib(name, mib, &depth) == 0 &&
		   depth == ctl_row_depth(row) &&
		   mallctlbymib(mib, depth, &value, &length, NULL, 0) == 0 &&
		   mallctl(name, &again, &length, NULL, 0) == 0,
	   "%s reads by its numbers", name);
}

/* Arena 0 is none that can be emptied, and there is no log to be ended. */
static int effect_of(const char *name)
{
	return strcmp(name, "arena.0.reset") == 0 ||
			       strcmp(name, "arena.0.destroy") == 0 ||
			       strcmp(name, "prof.log_stop") == 0
		       ? EFAULT
		       : 0;
}

static void test_row(const struct ctl_row *row)
{
	char name[128];
	uint64_t value = 0;
	size_t length = bytes_of(row);

	instance(row, name);
	if (row->get && !(row->rules & (CTL_MUST_READ | CTL_EITHER)))
		test_readable(row, name);
	if (row->rules & CTL_UNCHECKED) {
		ok(mallctl(name, &value, &length, &value, 16) ==
			   effect_of(name),
		   "%s takes anything", name);
		return;
	}
	if (!row->get && !row->exchange && !row->io)
		ok(mallctl(name, &value, &length, NULL, 0) == EPERM,
		   "%s cannot be read", name);
	if (!row->set && !row->exchange && !row->io)
		ok(mallctl(name, NULL, NULL, &value, length) == EPERM,
		   "%s cannot be set", name);
	if (row->set && row->type != CTL_VOID)
		ok(mallctl(name, NULL, NULL, &value, length + 1) == EINVAL &&
			   mallctl(name, NULL, NULL, &value, length - 1) ==
				   EINVAL,
		   "%s is not set by a wrong length", name);
	if (row->type == CTL_VOID && row->set)
		ok(mallctl(name, NULL, NULL, &value, 8) == EPERM &&
			   mallctl(name, NULL, NULL, NULL, 0) ==
				   effect_of(name),
		   "%s takes no value, and works", name);
}

static unsigned tests_of(const struct ctl_row *row)
{
	unsigned count = 0;

	if (row->get && !(row->rules & (CTL_MUST_READ | CTL_EITHER)))
		count += 2;
	if (row->rules & CTL_UNCHECKED)
		return 1;
	count += !row->get && !row->exchange && !row->io;
	count += !row->set && !row->exchange && !row->io;
	count += row->set && row->type != CTL_VOID;
	count += row->type == CTL_VOID && row->set;
	return count;
}

static const char *const absent[] = {
	"",
	".",
	"nothing",
	"version.",
	".version",
	"version.x",
	"stats",
	"stats.arenas",
	"stats.arenas.0",
	"stats.arenas.0.bins.0",
	"stats.arenas..nthreads",
	"stats.arenas.x.nthreads",
	"stats.arenas.-1.nthreads",
	"stats.arenas.0x0.nthreads",
	"stats.arenas.18446744073709551616.nthreads",
	"stats.arenas.4097.nthreads",
	"stats.arenas.4095.nthreads",
	"stats.arenas.0.bins.65535.nmalloc",
	"stats.arenas.0.lextents.65535.nmalloc",
	"arenas.bin.65535.size",
	"arenas.bin.1x.size",
	"arenas.lextent.65535.size",
	"arena.65535.purge",
	"arena.<i>.purge",
	"stats.mutexes.ctl",
	"stats.mutexes.background_threads.num_ops",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_names(void)
{
	size_t mib[CTL_MAX_DEPTH] = {0}, depth;
	uint64_t value;
	size_t length = 8;

	for (unsigned i = 0; i < COUNT(absent); i++)
		ok(mallctl(absent[i], &value, &length, NULL, 0) == ENOENT,
		   "\"%s\" does not exist", absent[i]);
	depth = 3;
	ok(mallctlnametomib("arenas.bin.7.size", mib, &depth) == 0 &&
		   depth == 3 && mib[2] == 7,
	   "numbers of the beginning, where there is room for no more");
	depth = CTL_MAX_DEPTH;
	ok(mallctlnametomib("stats.arenas.0.bins", mib, &depth) == 0 &&
		   depth == 4 && mib[2] == 0,
	   "numbers of the beginning of a name");
	ok(mallctlbymib(mib, 4, &value, &length, NULL, 0) == ENOENT,
	   "which is no control");
	depth = CTL_MAX_DEPTH;
	ok(mallctlnametomib("arenas.bin.65535.size", mib, &depth) == ENOENT,
	   "numbers of an index that is not there");
	mallctlnametomib("arenas.bin.0.size", mib, &depth);
	mib[2] = heap_small_class_count();
	ok(mallctlbymib(mib, depth, &value, &length, NULL, 0) == ENOENT,
	   "an index that is not there, by numbers");
	mib[2] = SIZE_MAX;
	ok(mallctlbymib(mib, depth, &value, &length, NULL, 0) == ENOENT,
	   "an enormous one");
	mib[2] = 0;
	mib[3] = SIZE_MAX;
	ok(mallctlbymib(mib, depth, &value, &length, NULL, 0) == ENOENT &&
		   mallctlbymib(mib, 0, &value, &length, NULL, 0) == ENOENT &&
		   mallctlbymib(mib, 99, &value, &length, NULL, 0) == ENOENT,
	   "numbers that are none");
}

static uint64_t get(const char *name)
{
	uint64_t value = 0;
	size_t length = 8;

	/* Booleans and 32-bit words: the length is put right by the error. */
	if (mallctl(name, &value, &length, NULL, 0) == EINVAL)
		mallctl(name, &value, &length, NULL, 0);
	return value;
}

static int set(const char *name, uint64_t value, size_t length)
{
	return mallctl(name, NULL, NULL, &value, length);
}

static void test_epoch(void)
{
	uint64_t before = get("epoch"), value = 7, after = 0;
	size_t length = sizeof(after);

	ok(mallctl("epoch", &after, &length, &value, sizeof(value)) == 0 &&
		   after == before + 1,
	   "epoch counts, and returns what it is now");
	ok(set("background_thread", true, 1) == 0 && get("background_thread") &&
		   get("stats.background_thread.num_threads") == 1 &&
		   set("background_thread", false, 1) == 0 &&
		   !get("background_thread") &&
		   get("stats.background_thread.num_threads") == 0,
	   "the background thread can be started and ended");
}

static void *sink;

static void test_thread(void)
{
	uint64_t before = get("thread.allocated"), freed;
	uint64_t *counter = NULL;
	size_t length = sizeof(counter);

	sink = malloc(1000);
	is_uint(get("thread.allocated") - before, malloc_usable_size(sink),
		"thread.allocated counts to the byte");
	mallctl("thread.allocatedp", &counter, &length, NULL, 0);
	is_uint(*counter, get("thread.allocated"),
		"thread.allocatedp points to it");
	freed = get("thread.deallocated");
	before = malloc_usable_size(sink);
	free(sink);
	is_uint(get("thread.deallocated") - freed, before,
		"thread.deallocated counts too");
	ok(set("thread.tcache.enabled", false, 1) == 0 &&
		   !get("thread.tcache.enabled"),
	   "the thread's cache can be switched off");
	ok(mallctl("thread.tcache.flush", NULL, NULL, NULL, 0) == EFAULT,
	   "and cannot be flushed then");
	ok(set("thread.tcache.enabled", true, 1) == 0 &&
		   get("thread.tcache.enabled"),
	   "and on again");
}

static void test_arenas(void)
{
	unsigned made = 0, found = 0;
	size_t length = sizeof(made);
	char name[64];

	ok(get("arenas.narenas") > 2 && !get("arena.2.initialized") &&
		   set("thread.arena", 2, 4) == 0 &&
		   get("arena.2.initialized") && get("thread.arena") == 2 &&
		   set("thread.arena", 0, 4) == 0,
	   "a thread can move to an arena that was not made yet");
	sink = mallocx(100, MALLOCX_ARENA(1));
	ok(sink &&
		   mallctl("arenas.lookup", &found, &length, &sink,
			   sizeof(sink)) == 0 &&
		   found == 1,
	   "so can an allocation");
	dallocx(sink, 0);
	ok(mallctl("arenas.create", NULL, NULL, NULL, 0) == EINVAL,
	   "an arena must be taken to be made");
	ok(mallctl("arenas.create", &made, &length, NULL, 0) == 0 &&
		   made + 1 == get("arenas.narenas"),
	   "an arena is made");
	sink = mallocx(100, MALLOCX_ARENA(made));
	ok(mallctl("arenas.lookup", &found, &length, &sink, sizeof(sink)) ==
			   0 &&
		   found == made,
	   "what it gives can be looked up");
	ok(mallctl("arenas.lookup", &found, &length, NULL, 0) == EINVAL &&
		   mallctl("arenas.lookup", &found, &length, &(void *){&made},
			   sizeof(void *)) == EINVAL,
	   "what is not ours cannot");
	dallocx(sink, 0);
	ok(set("thread.arena", made, 4) == 0 && get("thread.arena") == made,
	   "a thread can move to it");
	ok(set("thread.arena", made + 1, 4) == EFAULT &&
		   set("thread.arena", 0, 4) == 0,
	   "but not to one that is not there");
	snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", made);
	ok(set(name, 1234, 8) == 0 && get(name) == 1234,
	   "an arena's decay time can be set");
	ok(set(name, (uint64_t)-2, 8) == EFAULT && get(name) == 1234,
	   "but not to less than never");
	ok(set("arenas.muzzy_decay_ms", (uint64_t)-1, 8) == 0 &&
		   get("arenas.muzzy_decay_ms") == UINT64_MAX,
	   "so can that of arenas to come");
	snprintf(name, sizeof(name), "arena.%u.purge", made + 1);
	ok(mallctl(name, NULL, NULL, NULL, 0) == 0 &&
		   mallctl("arena.4096.decay", NULL, NULL, NULL, 0) == 0,
	   "all arenas can be purged, by their number or as 4096");
	ok(!get("arena.4097.initialized") && get("arena.4096.initialized"),
	   "the pseudo arenas can be asked for");
	snprintf(name, sizeof(name), "arena.%u.initialized", made + 1);
	ok(get(name) == 1, "the number of arenas is all of them, too");
}

/* The number of arenas stands for all, as programs of long ago have it. */
static void test_all_arenas(void)
{
	unsigned all = (unsigned)get("arenas.narenas");
	char name[64];

	get("epoch");
	snprintf(name, sizeof(name), "stats.arenas.%u.pactive", all);
	ok(get(name) && get(name) == get("stats.arenas.4096.pactive"),
	   "so they are in statistics");
	snprintf(name, sizeof(name), "stats.arenas.%u.dirty_decay_ms", all);
	ok(get(name) == get("arenas.dirty_decay_ms"), "with what is to come");
	snprintf(name, sizeof(name), "stats.arenas.%u.dss", all);
	is_string((const char *)get(name), "N/A", "and what has no sum");
	snprintf(name, sizeof(name), "stats.arenas.%u.pactive", all + 1);
	ok(mallctl(name, NULL, NULL, NULL, 0) == ENOENT, "but no more");
}

/*
 * What is read has the wrong length, but what is written has the right one:
 * jemalloc sets some all the same.
 */
static void test_wrong_length(void)
{
	static const char *const set_first[] = {
		"thread.tcache.enabled", "thread.prof.active", "prof.active",
		"prof.gdump", "prof.thread_active_init"};
	int64_t value = 7;
	unsigned old[2] = {0}, arena = 1;
	size_t length = 4;
	bool right = true, on, whole;

	ok(mallctl("arena.0.dirty_decay_ms", old, &length, &value, 8) ==
			   EINVAL &&
		   get("arena.0.dirty_decay_ms") != 7,
	   "what cannot be read is not written either");
	length = 2;
	ok(mallctl("thread.arena", old, &length, &arena, 4) == EINVAL &&
		   get("thread.arena") == 0,
	   "so a thread stays where it is");
	for (unsigned i = 0; i < COUNT(set_first); i++) {
		whole = get(set_first[i]);
		on = !whole;
		length = 2;
		right &=
			mallctl(set_first[i], old, &length, &on, 1) == EINVAL &&
			get(set_first[i]) == on;
		set(set_first[i], whole, 1);
	}
	ok(right, "but these switches are");
	arena = 1;
	length = 4;
	ok(mallctl("thread.arena", &arena, &length, &arena, 4) == 0 &&
		   arena == 0 && get("thread.arena") == 1 &&
		   set("thread.arena", 0, 4) == 0,
	   "the old value may take the place of the new one");
}

static void test_caches(void)
{
	unsigned made = 0;
	size_t length = sizeof(made);

	ok(get("opt.tcache_max") == 1000000 &&
		   get("arenas.tcache_max") == 1 << 20 &&
		   get("thread.tcache.max") == 1 << 20,
	   "caches hold up to a size class");
	is_uint(get("opt.oversize_threshold"), 0,
		"what is less than a large object is no threshold");
	ok(mallctl("tcache.create", &made, &length, NULL, 0) == 0,
	   "a cache is made");
	sink = mallocx(100, MALLOCX_TCACHE(made));
	ok(sink != NULL, "it gives");
	dallocx(sink, MALLOCX_TCACHE(made));
	ok(set("tcache.flush", made, 4) == 0 &&
		   set("tcache.destroy", made, 4) == 0,
	   "is flushed and destroyed");
	ok(set("tcache.destroy", made, 4) == EFAULT &&
		   set("tcache.flush", UINT32_MAX, 4) == EFAULT,
	   "but only where it is there");
	ok(mallctl("tcache.flush", NULL, NULL, NULL, 0) == EINVAL,
	   "and is named");
}

/* Of 4,000 objects of 100 bytes some were sampled; half of them are freed. */
static void *sample_ten(void *unused)
{
	for (unsigned i = 0; i < 10; i++) {
		void *volatile object = malloc(100);

		free(object);
	}
	return unused;
}

/* name: prof.stats.bins.<i>.accum of 100 bytes. Some are of no thread here. */
static void test_ended_threads(const char *name)
{
	uint64_t all[2] = {0, 0};
	size_t length = sizeof(all);
	pthread_t thread;

	set("prof.reset", 0, 8);
	for (unsigned i = 0; i < 300; i++) {
		pthread_create(&thread, NULL, sample_ten, NULL);
		pthread_join(thread, NULL);
	}
	mallctl(name, all, &length, NULL, 0);
	ok(all[1] >= 3000 && all[1] < 4000,
	   "threads that ended are not forgotten (%" PRIu64 ")", all[1]);
	set("prof.reset", 19, 8);
}

static void test_prof_stats(void)
{
	struct {
		uint64_t bytes, count;
	} live = {0, 0}, all = {0, 0};
	static void *objects[4000];
	size_t length = sizeof(live);
	char name[64];

	set("prof.reset", 10, 8);
	/* The interval under way was drawn at the rate before. */
	for (unsigned i = 0; i < 32; i++)
		free(malloc((size_t)1 << 20));
	for (unsigned i = 0; i < 4000; i++)
		objects[i] = malloc(100);
	for (unsigned i = 0; i < 4000; i += 2)
		free(objects[i]);
	for (unsigned i = 0; !all.count && i < get("arenas.nbins"); i++) {
		snprintf(name, sizeof(name), "arenas.bin.%u.size", i);
		if (get(name) < 100)
			continue;
		snprintf(name, sizeof(name), "prof.stats.bins.%u.live", i);
		mallctl(name, &live, &length, NULL, 0);
		snprintf(name, sizeof(name), "prof.stats.bins.%u.accum", i);
		mallctl(name, &all, &length, NULL, 0);
	}
	ok(all.count > 20 && all.count < 4000 && live.count < all.count &&
		   live.count > 0,
	   "prof.stats counts samples: %" PRIu64 " of %" PRIu64, live.count,
	   all.count);
	ok(all.bytes == 100 * all.count && live.bytes == 100 * live.count,
	   "and the bytes asked for");
	length = 8;
	ok(mallctl(name, &live, &length, NULL, 0) == EINVAL && length == 8 &&
		   mallctl(name, NULL, NULL, &live, 16) == EPERM,
	   "they are read whole, and not set");
	for (unsigned i = 1; i < 4000; i += 2)
		free(objects[i]);
	test_ended_threads(name);
}

static void test_peak(void)
{
	uint64_t peak;
	void *big;

	ok(mallctl("thread.peak.reset", NULL, NULL, NULL, 0) == 0 &&
		   get("thread.peak.read") < 1000,
	   "a peak begins at 0");
	big = malloc(8 << 20);
	sink = big;
	ok(get("thread.peak.read") >= 8 << 20, "rises with what is allocated");
	free(big);
	peak = get("thread.peak.read");
	ok(peak >= 8 << 20 && peak < 9 << 20, "and stays when it is freed");
	ok(mallctl("thread.peak.reset", NULL, NULL, NULL, 0) == 0 &&
		   get("thread.peak.read") < 1000,
	   "until it is reset");
}

static void test_locks_and_runs(void)
{
	uint64_t bytes = 0, before = get("stats.arenas.0.bins.9.mutex.num_ops");
	const size_t *pages = NULL;
	size_t length = sizeof(pages);
	void *object = mallocx(160, MALLOCX_ARENA(0) | MALLOCX_TCACHE_NONE);
	char name[64];

	sink = object;
	ok(get("stats.arenas.4096.mutexes.large.num_ops") > 0 &&
		   get("stats.mutexes.ctl.num_ops") > 0,
	   "locks that were taken have counts");
	before += get("stats.arenas.0.mutexes.base.num_ops");
	ok(before > 0 &&
		   mallctl("stats.mutexes.reset", NULL, NULL, NULL, 0) == 0 &&
		   get("stats.arenas.0.bins.9.mutex.num_ops") == 0,
	   "which start anew");
	dallocx(object, MALLOCX_TCACHE_NONE);
	for (unsigned i = 0;; i++) {
		snprintf(name, sizeof(name),
			 "stats.arenas.4096.extents.%u.dirty_bytes", i);
		if (mallctl(name, NULL, NULL, NULL, 0) != 0)
			break;
		bytes += get(name);
	}
	is_uint(bytes, get("stats.arenas.4096.pdirty") * get("arenas.page"),
		"free runs by size make the dirty pages");
	mallctl("experimental.arenas.0.pactivep", &pages, &length, NULL, 0);
	ok(pages && *pages == get("stats.arenas.0.pactive"),
	   "pactivep points to what stats.arenas.0.pactive says");
}

static void test_prof(void)
{
	const char *name = "worker";
	const char *got = NULL;
	size_t length = sizeof(got);
	bool off = false, was = false;

	length = 1;
	ok(mallctl("prof.active", &was, &length, &off, 1) == 0 && was &&
		   !get("prof.active") && set("prof.active", true, 1) == 0,
	   "prof.active is set, and says what it was");
	ok(set("thread.prof.active", false, 1) == 0 &&
		   !get("thread.prof.active") &&
		   set("thread.prof.active", true, 1) == 0,
	   "so is thread.prof.active");
	ok(set("prof.reset", 12, 8) == 0 && get("prof.lg_sample") == 12,
	   "prof.reset sets the rate");
	length = sizeof(got);
	ok(mallctl("thread.prof.name", NULL, NULL, &name, sizeof(name)) == 0 &&
		   mallctl("thread.prof.name", &got, &length, NULL, 0) == 0,
	   "a thread is named");
	is_string(got, "worker", "and has the name");
	ok(mallctl("thread.prof.name", &got, &length, &name, sizeof(name)) ==
		   EPERM,
	   "a name is read or set, not both");
	ok(mallctl("prof.dump", NULL, NULL,
		   &(const char *){"/nowhere/at/all.heap"}, 8) == EFAULT,
	   "a dump that cannot be written");
}

/* Four arenas even where there is one CPU. */
const char *malloc_conf = "prof_stats:true,narenas:4,tcache_max:1000000,"
			  "prof_accum:false,oversize_threshold:16000";

int main(void)
{
	unsigned count =
		COUNT(absent) + 7 + 2 + 6 + 14 + 4 + 4 + 6 + 7 + 3 + 4 + 4 + 2;
	struct ctl_row row;

	heap_boot();
	for (unsigned i = 0; i < ctl_row_count(); i++) {
		ctl_row_at(i, &row);
		count += tests_of(&row);
	}
	plan(count);
	for (unsigned i = 0; i < ctl_row_count(); i++) {
		ctl_row_at(i, &row);
		test_row(&row);
	}
	test_names();
	test_epoch();
	test_thread();
	test_arenas();
	test_all_arenas();
	test_wrong_length();
	test_caches();
	test_prof();
	test_prof_stats();
	test_peak();
	test_locks_and_runs();
	return done_testing();
}
