/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas on hooks of the program's own, which keep a book of the extents that
 * they gave, cut and joined: each call must name one of them as it is. Random
 * objects, with hooks missing, refusing now and then, or failing at the Nth
 * call; memory that is neither zero nor committed until it is asked for; and
 * when the arena is destroyed the book is empty.
 */
#include "config.h"

#include "tap/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/ledger.h"

#define MAX_EXTENTS 8192
#define SLOTS 64
#define STEPS 3000

/* One struct for each test: the hooks come first, and know the rest. */
struct book {
	extent_hooks_t hooks;
	unsigned arena;
	bool commits;	   /* memory comes uncommitted */
	bool soils;	   /* and full of rubbish */
	unsigned refusals; /* of ten calls */
	long fail_at;	   /* this call, counted from 1; 0: none */
	long calls;
	size_t longest; /* that was asked for */
	unsigned wrong;
	unsigned count;
	struct entry {
		char *base;
		size_t bytes;
		bool committed;
	} entries[MAX_EXTENTS];
};

static struct book book;
static uint64_t seed;

static uint64_t next_random(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return seed >> 33;
}

static bool refuses(void)
{
	book.calls++;
	errno = ENXIO;
	return book.calls == book.fail_at || next_random() % 10 < book.refusals;
}

static struct entry *find(extent_hooks_t *hooks, void *addr, size_t bytes,
			  unsigned arena)
{
	for (unsigned i = 0; i < book.count; i++)
		if (book.entries[i].base == addr &&
		    book.entries[i].bytes == bytes && hooks == &book.hooks &&
		    arena == book.arena)
			return &book.entries[i];
	book.wrong++;
	return NULL;
}

static void add(void *base, size_t bytes, bool committed)
{
	if (book.count == MAX_EXTENTS)
		abort();
	book.entries[book.count++] = (struct entry){base, bytes, committed};
}

static void drop(struct entry *entry)
{
	*entry = book.entries[--book.count];
}

static void *hook_alloc(extent_hooks_t *hooks, void *addr, size_t size,
			size_t alignment, bool *zero, bool *commit,
			unsigned arena)
{
	bool lazy = book.commits && !*commit;
	int protection = lazy ? PROT_NONE : PROT_READ | PROT_WRITE;
	char *map, *base;

	book.wrong += hooks != &book.hooks || addr || arena != book.arena;
	book.wrong += !size || size % os_page_bytes || *zero;
	book.longest = size > book.longest ? size : book.longest;
	if (refuses())
		return NULL;
	map = mmap(NULL, size + alignment, protection,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	base = map + (-(uintptr_t)map & (alignment - 1));
	if (base > map)
		munmap(map, (size_t)(base - map));
	munmap(base + size, (size_t)(map + alignment - base));
	if (book.soils && !lazy)
		memset(base, 0xa5, size);
	*zero = !book.soils || lazy;
	*commit = !lazy;
	add(base, size, !lazy);
	return base;
}

static bool hook_dalloc(extent_hooks_t *hooks, void *addr, size_t size,
			bool committed, unsigned arena)
{
	struct entry *entry = find(hooks, addr, size, arena);

	if (!entry || refuses())
		return true;
	book.wrong += entry->committed != committed;
	munmap(addr, size);
	drop(entry);
	return false;
}

static void hook_destroy(extent_hooks_t *hooks, void *addr, size_t size,
			 bool committed, unsigned arena)
{
	struct entry *entry = find(hooks, addr, size, arena);

	if (!entry)
		return;
	book.wrong += entry->committed != committed;
	munmap(addr, size);
	drop(entry);
}

static bool hook_commit(extent_hooks_t *hooks, void *addr, size_t size,
			size_t offset, size_t length, unsigned arena)
{
	struct entry *entry = find(hooks, addr, size, arena);

	if (!entry || refuses())
		return true;
	book.wrong += entry->committed || offset || length != size;
	mprotect(addr, size, PROT_READ | PROT_WRITE);
	return !(entry->committed = true);
}

static bool hook_decommit(extent_hooks_t *hooks, void *addr, size_t size,
			  size_t offset, size_t length, unsigned arena)
{
	struct entry *entry = find(hooks, addr, size, arena);

	if (!entry || refuses())
		return true;
	book.wrong += !entry->committed || offset || length != size;
	madvise(addr, size, MADV_DONTNEED);
	mprotect(addr, size, PROT_NONE);
	return entry->committed = false;
}

static bool hook_purge_lazy(extent_hooks_t *hooks, void *addr, size_t size,
			    size_t offset, size_t length, unsigned arena)
{
	if (!find(hooks, addr, size, arena) || refuses())
		return true;
	memset((char *)addr + offset, 0x5a, length);
	return false;
}

static bool hook_purge_forced(extent_hooks_t *hooks, void *addr, size_t size,
			      size_t offset, size_t length, unsigned arena)
{
	if (!find(hooks, addr, size, arena) || refuses())
		return true;
	return madvise((char *)addr + offset, length, MADV_DONTNEED) != 0;
}

static bool hook_split(extent_hooks_t *hooks, void *addr, size_t size,
		       size_t size_a, size_t size_b, bool committed,
		       unsigned arena)
{
	struct entry *entry = find(hooks, addr, size, arena);

	if (!entry || refuses())
		return true;
	book.wrong += size_a + size_b != size || !size_a || !size_b ||
		      entry->committed != committed;
	entry->bytes = size_a;
	add((char *)addr + size_a, size_b, committed);
	return false;
}

static bool hook_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a,
		       void *addr_b, size_t size_b, bool committed,
		       unsigned arena)
{
	struct entry *a = find(hooks, addr_a, size_a, arena);
	struct entry *b = find(hooks, addr_b, size_b, arena);

	if (!a || !b || refuses())
		return true;
	book.wrong += (char *)addr_a + size_a != addr_b ||
		      a->committed != committed || b->committed != committed;
	a->bytes += size_b;
	drop(b);
	return false;
}

static const extent_hooks_t all_hooks = {
	.alloc = hook_alloc,
	.dalloc = hook_dalloc,
	.destroy = hook_destroy,
	.commit = hook_commit,
	.decommit = hook_decommit,
	.purge_lazy = hook_purge_lazy,
	.purge_forced = hook_purge_forced,
	.split = hook_split,
	.merge = hook_merge,
};

struct slot {
	unsigned char *ptr;
	size_t size;
	unsigned char mark;
};

static struct slot slots[SLOTS];
static unsigned damaged, not_zero, failures, changed_errno;

static bool is_all(const unsigned char *bytes, size_t size, unsigned char value)
{
	return !size ||
	       (bytes[0] == value && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static size_t random_size(void)
{
	unsigned kind = (unsigned)(next_random() % 64);

	if (kind < 32)
		return 1 + next_random() % 2000;
	if (kind < 56)
		return 1 + next_random() % 100000;
	return 1 + next_random() % (kind == 63 ? 2000000 : 400000);
}

static void fill(struct slot *slot, int flags)
{
	size_t alignment = (size_t)1 << next_random() % 17;

	slot->size = random_size();
	slot->ptr = mallocx(slot->size,
			    flags | MALLOCX_ALIGN(alignment) | MALLOCX_ZERO);
	failures += !slot->ptr;
	if (!slot->ptr)
		return;
	not_zero += !is_all(slot->ptr, slot->size, 0);
	damaged += (uintptr_t)slot->ptr % alignment != 0;
	slot->mark = (unsigned char)next_random();
	memset(slot->ptr, slot->mark, slot->size);
}

static void resize(struct slot *slot, int flags)
{
	size_t size = random_size(), kept;
	unsigned char *ptr = rallocx(slot->ptr, size, flags | MALLOCX_ZERO);

	failures += !ptr;
	if (!ptr)
		return;
	kept = size < slot->size ? size : slot->size;
	damaged += !is_all(ptr, kept, slot->mark);
	slot->ptr = ptr;
	slot->size = size;
	memset(ptr, slot->mark, size);
}

static void release(struct slot *slot, int flags)
{
	damaged += !is_all(slot->ptr, slot->size, slot->mark);
	errno = 0;
	dallocx(slot->ptr, flags);
	changed_errno += errno != 0;
	slot->ptr = NULL;
}

static int control(const char *name)
{
	char full[64];

	snprintf(full, sizeof(full), "arena.%u.%s", book.arena, name);
	return mallctl(full, NULL, NULL, NULL, 0);
}

static void set_decay(const char *name, ssize_t ms)
{
	char full[64];

	snprintf(full, sizeof(full), "arena.%u.%s", book.arena, name);
	mallctl(full, NULL, NULL, &ms, sizeof(ms));
}

static void step(int flags)
{
	struct slot *slot = &slots[next_random() % SLOTS];
	unsigned action = (unsigned)(next_random() % 64);

	/* Of half of them the thread may keep some. */
	if (next_random() % 2)
		flags |= MALLOCX_TCACHE_NONE;

	if (action == 0)
		control("purge");
	else if (action == 1)
		control("decay");
	else if (!slot->ptr)
		fill(slot, flags);
	else if (action < 20)
		resize(slot, flags);
	else
		release(slot, flags);
}

/* False where not even the arena could be made. */
static bool start(void)
{
	extent_hooks_t *hooks = &book.hooks;
	size_t length = sizeof(book.arena);

	seed = 1;
	book.calls = book.wrong = book.count = 0;
	damaged = not_zero = failures = changed_errno = 0;
	if (mallctl("arenas.create", &book.arena, &length, &hooks,
		    sizeof(hooks)) != 0)
		return false;
	set_decay("muzzy_decay_ms", 10);
	return true;
}

static void run(unsigned steps)
{
	int flags = MALLOCX_ARENA(book.arena);

	for (unsigned i = 0; i < steps; i++)
		step(flags);
	for (unsigned i = 0; i < SLOTS; i++)
		if (slots[i].ptr && i % 2)
			release(&slots[i], flags);
	/* The other half goes with the arena. */
	memset(slots, 0, sizeof(slots));
}

static void check(const char *what)
{
	book.fail_at = 0;
	book.refusals = 0;
	ok(control("destroy") == 0, "%s: the arena is destroyed", what);
	ok(book.wrong == 0, "%s: each call names an extent as it is", what);
	ok(damaged == 0, "%s: nothing is damaged", what);
	ok(not_zero == 0, "%s: what is to be zero is", what);
	ok(changed_errno == 0, "%s: free keeps errno", what);
	ok(book.count == 0, "%s: nothing is left", what);
}

static void test_variant(const char *what, const extent_hooks_t *hooks)
{
	book.hooks = *hooks;
	if (!start())
		abort();
	run(STEPS);
	if (!book.refusals)
		ok(failures == 0, "%s: nothing fails", what);
	else
		ok(failures > 0, "%s: something fails (%u)", what, failures);
	check(what);
}

static void test_variants(void)
{
	extent_hooks_t hooks = all_hooks;

	test_variant("all hooks", &all_hooks);
	book.soils = true;
	test_variant("memory that is not zero", &all_hooks);
	hooks.decommit = NULL;
	hooks.dalloc = NULL;
	test_variant("nothing goes back", &hooks);
	hooks.purge_forced = NULL;
	test_variant("nor is purged", &hooks);
	book.commits = true;
	test_variant("memory to be committed", &all_hooks);
	hooks = all_hooks;
	hooks.dalloc = NULL;
	test_variant("and decommitted", &hooks);
	hooks.split = NULL;
	test_variant("no split", &hooks);
	hooks.merge = NULL;
	test_variant("nor merge", &hooks);
	hooks = (extent_hooks_t){.alloc = hook_alloc, .destroy = hook_destroy};
	book.commits = book.soils = false;
	test_variant("alloc and destroy alone", &hooks);
	book.commits = true;
	book.refusals = 8;
	test_variant("refusals now and then", &all_hooks);
	book.commits = false;
}

/* What was not committed when it was made never can be. */
static void test_committed_at_once(void)
{
	extent_hooks_t hooks = all_hooks;

	hooks.commit = NULL;
	hooks.decommit = NULL;
	book.commits = true;
	test_variant("memory that is committed at once, or never", &hooks);
	book.commits = false;
}

/* Without opt.retain nothing is asked for beforehand. */
static void test_exact(void)
{
	void *objects[40];
	int flags;

	book.hooks = all_hooks;
	opt.retain = false;
	start();
	book.longest = 0;
	flags = MALLOCX_ARENA(book.arena) | MALLOCX_TCACHE_NONE;
	for (unsigned i = 0; i < 40; i++)
		objects[i] = mallocx(100000, flags);
	is_uint(book.longest, 100000 + (-(size_t)100000 & (os_page_bytes - 1)),
		"hooks are asked for what is wanted alone");
	for (unsigned i = 0; i < 40; i++)
		dallocx(objects[i], flags);
	check("no retain");
	opt.retain = true;
}

/* The Nth call fails, for all N of a short run. */
static void test_failures(void)
{
	unsigned wrong = 0, left = 0, runs = 0;
	long n, calls = 1;

	book.hooks = all_hooks;
	book.commits = book.soils = true;
	for (n = 1; n <= calls; n += 1 + n / 64) {
		book.fail_at = n;
		if (!start())
			break;
		run(300);
		calls = book.calls > calls ? book.calls : calls;
		book.fail_at = 0;
		wrong += control("destroy") != 0;
		wrong += book.wrong + damaged + not_zero;
		left += book.count;
		runs++;
	}
	ok(runs > 50, "the Nth call failed, in %u runs", runs);
	is_uint(wrong, 0, "with nothing wrong");
	is_uint(left, 0, "and nothing left");
}

/* Hooks on a running arena, which pass all on to those they replaced. */
static extent_hooks_t *replaced;
static unsigned passed_on;

static void *pass_alloc(extent_hooks_t *hooks, void *addr, size_t size,
			size_t alignment, bool *zero, bool *commit,
			unsigned arena)
{
	(void)hooks;
	passed_on++;
	return replaced->alloc(replaced, addr, size, alignment, zero, commit,
			       arena);
}

static bool pass_dalloc(extent_hooks_t *hooks, void *addr, size_t size,
			bool committed, unsigned arena)
{
	(void)hooks;
	passed_on++;
	return replaced->dalloc(replaced, addr, size, committed, arena);
}

static void test_chained(void)
{
	static extent_hooks_t hooks;
	extent_hooks_t *given = &hooks, *got = NULL;
	size_t length = sizeof(got);
	unsigned arena;
	char name[64];
	void *object;

	length = sizeof(arena);
	mallctl("arenas.create", &arena, &length, NULL, 0);
	snprintf(name, sizeof(name), "arena.%u.extent_hooks", arena);
	length = sizeof(got);
	is_int(mallctl(name, &replaced, &length, NULL, 0), 0,
	       "default hooks can be read");
	hooks = *replaced;
	hooks.alloc = pass_alloc;
	hooks.dalloc = pass_dalloc;
	ok(mallctl(name, &got, &length, &given, sizeof(given)) == 0 &&
		   got == replaced,
	   "and replaced");
	object = mallocx(3 << 20, MALLOCX_ARENA(arena) | MALLOCX_ZERO);
	ok(object && is_all(object, 3 << 20, 0) && passed_on > 0,
	   "hooks may pass on what they are asked");
	dallocx(object, MALLOCX_TCACHE_NONE);
	passed_on = 0;
	snprintf(name, sizeof(name), "arena.%u.purge", arena);
	mallctl(name, NULL, NULL, NULL, 0);
	ok(passed_on > 0, "in giving back, too");
	snprintf(name, sizeof(name), "arena.%u.extent_hooks", arena);
	ok(mallctl(name, &got, &length, &replaced, sizeof(replaced)) == 0 &&
		   got == &hooks &&
		   mallctl(name, &got, &length, NULL, 0) == 0 &&
		   got == replaced,
	   "and the default ones can be put back");
	snprintf(name, sizeof(name), "arena.%u.destroy", arena);
	is_int(mallctl(name, NULL, NULL, NULL, 0), 0, "and destroyed");
}

/* A hook that allocates is served, whatever is locked. */
static void *greedy_alloc(extent_hooks_t *hooks, void *addr, size_t size,
			  size_t alignment, bool *zero, bool *commit,
			  unsigned arena)
{
	void *own = malloc(100), *gone = malloc(200000);

	(void)hooks;
	free(gone);
	passed_on += own != NULL;
	free(own);
	return replaced->alloc(replaced, addr, size, alignment, zero, commit,
			       arena);
}

static void test_greedy(void)
{
	static extent_hooks_t hooks;
	extent_hooks_t *given = &hooks;
	arena_config_t config = {.extent_hooks = &hooks};
	unsigned arena, again;
	size_t length = sizeof(arena);
	void *object;
	char name[64];

	(void)given;
	hooks = *replaced;
	hooks.alloc = greedy_alloc;
	passed_on = 0;
	is_int(mallctl("experimental.arenas_create_ext", &arena, &length,
		       &config, sizeof(config)),
	       0, "an arena is made with its hooks in a struct");
	object = mallocx(100, MALLOCX_ARENA(arena));
	ok(object && passed_on == 1, "a hook may allocate");
	snprintf(name, sizeof(name), "arena.%u.destroy", arena);
	mallctl(name, NULL, NULL, NULL, 0);
	mallctl("arenas.create", &again, &length, NULL, 0);
	is_uint(again, arena, "the index is used again");
	snprintf(name, sizeof(name), "arena.%u.extent_hooks", arena);
	length = sizeof(given);
	ok(mallctl(name, &given, &length, NULL, 0) == 0 && given == replaced,
	   "with the default hooks");
}

int main(void)
{
	plan(11 * 7 + 1 + 6 + 3 + 6 + 4);
	test_variants();
	test_committed_at_once();
	test_exact();
	test_failures();
	test_chained();
	test_greedy();
	return done_testing();
}
