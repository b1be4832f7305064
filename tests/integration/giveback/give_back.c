/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving back, seen from the kernel: a load of 500 MB is freed, and what of
 * it is still resident after the decay time is told, with a background
 * thread and no further call, and without one and a single call. Each case
 * runs in a process of its own, with options of its own.
 */
#include "config.h"

#include "tap/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "liballoc/include/liballoc/liballoc.h"

#define LOAD_BYTES ((size_t)500 << 20)
#define SMALL_LOAD_BYTES ((size_t)40 << 20)
#define MAX_OBJECTS 2000000u

#define LOADERS 4u
#define MAX_WAIT_MS 20000u

static void *objects[MAX_OBJECTS];
static pthread_barrier_t loaded, unloaded, ended;
static size_t load_before, load_full;
/* What the first of the threads that freed calls then, if anything. */
static void (*worker_call)(void);
static bool came_back;

/* Allocates nothing. */
static size_t resident_bytes(void)
{
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY);
	char *at;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		abort();
	close(fd);
	at = strchr(text, ' ');
	return strtoul(at, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void sleep_ms(unsigned ms)
{
	struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

	while (nanosleep(&time, &time))
		;
}

/* Into objects from first on, up to end; how many. */
static unsigned load_from(unsigned first, unsigned end, size_t bytes)
{
	static const size_t sizes[] = {24,   80,   200,	 600,
				       1500, 4000, 9000, 100000};
	unsigned count = first;
	size_t held = 0;

	while (held < bytes && count < end) {
		size_t size = sizes[count % 8];

		objects[count] = malloc(size);
		memset(objects[count++], 1, size);
		held += size;
	}
	return count - first;
}

static unsigned load(size_t bytes)
{
	return load_from(0, MAX_OBJECTS, bytes);
}

static void unload(unsigned count)
{
	while (count)
		free(objects[--count]);
}

/* How many of a thousand parts of what the load took are resident still. */
static unsigned left_of(size_t before, size_t full)
{
	size_t now = resident_bytes();

	return now <= before
		       ? 0
		       : (unsigned)((now - before) * 1000 / (full - before));
}

static uint64_t read_number(const char *name)
{
	uint64_t value = 0;
	size_t size = sizeof(value);

	if (mallctl(name, &value, &size, NULL, 0))
		abort();
	return value;
}

static unsigned free_and_wait(size_t bytes, unsigned ms, void (*call)(void))
{
	size_t before, full;
	unsigned count;

	memset(objects, 0, sizeof(objects));
	before = resident_bytes();
	count = load(bytes);
	full = resident_bytes();
	unload(count);
	sleep_ms(ms);
	if (call)
		call();
	return left_of(before, full);
}

static void one_malloc(void)
{
	void *volatile object = malloc(16);

	free(object);
}

static void one_large(void)
{
	void *volatile object = malloc(1 << 20);

	free(object);
}

static int case_thread(void)
{
	return free_and_wait(LOAD_BYTES, 1300, NULL) < 50 ? 0 : 1;
}

static int case_call(void)
{
	return free_and_wait(LOAD_BYTES, 1300, one_malloc) < 50 ? 0 : 1;
}

/* However slow the machine, in the end; call: what may bring it about. */
static bool comes_back(void (*call)(void))
{
	unsigned waited;

	for (waited = 0; waited < MAX_WAIT_MS; waited += 100) {
		if (left_of(load_before, load_full) < 50)
			return true;
		sleep_ms(100);
		if (call)
			call();
	}
	return false;
}

/* Half of it the thread frees itself, half its neighbour; and it idles. */
static void *load_share(void *number)
{
	const unsigned room = MAX_OBJECTS / LOADERS;
	unsigned own = (unsigned)(uintptr_t)number, i;
	unsigned next = (own + 1) % LOADERS;

	load_from(own * room, (own + 1) * room, LOAD_BYTES / LOADERS);
	pthread_barrier_wait(&loaded);
	pthread_barrier_wait(&loaded); /* what is resident is read between */
	for (i = 0; i < room; i += 2)
		free(objects[own * room + i]);
	for (i = 1; i < room; i += 2)
		free(objects[next * room + i]);
	pthread_barrier_wait(&unloaded);
	if (!own && worker_call)
		came_back = comes_back(worker_call);
	pthread_barrier_wait(&ended);
	return NULL;
}

/* The calls, where not NULL: by a thread that freed, or by another. */
static int free_by_threads(void (*by_worker)(void), void (*by_other)(void))
{
	pthread_t threads[LOADERS];
	uintptr_t i;

	memset(objects, 0, sizeof(objects));
	worker_call = by_worker;
	pthread_barrier_init(&loaded, NULL, LOADERS + 1);
	pthread_barrier_init(&unloaded, NULL, LOADERS + 1);
	pthread_barrier_init(&ended, NULL, LOADERS + 1);
	load_before = resident_bytes();
	for (i = 0; i < LOADERS; i++)
		pthread_create(&threads[i], NULL, load_share, (void *)i);
	pthread_barrier_wait(&loaded);
	load_full = resident_bytes();
	pthread_barrier_wait(&loaded);
	pthread_barrier_wait(&unloaded);
	if (!by_worker)
		came_back = comes_back(by_other);
	pthread_barrier_wait(&ended);
	for (i = 0; i < LOADERS; i++)
		pthread_join(threads[i], NULL);
	if (load_full - load_before < LOAD_BYTES / 10 * 9)
		return 2;
	return came_back ? 0 : 1;
}

static int case_threads_idle(void)
{
	return free_by_threads(NULL, NULL);
}

static int case_threads_call(void)
{
	return free_by_threads(one_malloc, NULL);
}

static int case_threads_other(void)
{
	return free_by_threads(NULL, one_large);
}

/* The bound of bytes alone: at once. */
static int case_limit(void)
{
	return free_and_wait(LOAD_BYTES, 0, NULL) < 50 ? 0 : 1;
}

static uint64_t cached_bytes(void)
{
	uint64_t epoch = 1;

	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	return read_number("stats.arenas.4096.tcache_bytes");
}

/* A thread that frees much and then does little, but never nothing. */
static int case_slow(void)
{
	static void *small[20000];
	uint64_t before;
	size_t i;

	for (i = 0; i < 20000; i++)
		small[i] = malloc(16 * (i % 60 + 1));
	for (i = 0; i < 20000; i++)
		free(small[i]);
	before = cached_bytes();
	for (i = 0; i < 40; i++) {
		sleep_ms(60);
		small[0] = malloc(2000 + 130 * i);
		free(small[0]);
	}
	return before > 200000 && cached_bytes() < before / 8 ? 0 : 1;
}

/* What a thread that idles has cached for large objects goes, too. */
static int case_cached(void)
{
	void *volatile large[4];
	uint64_t before;
	size_t i;

	for (i = 0; i < 4; i++)
		large[i] = malloc(900000);
	for (i = 0; i < 4; i++)
		free(large[i]);
	one_malloc();
	before = cached_bytes();
	sleep_ms(2500);
	return before > 3000000 && cached_bytes() < 300000 ? 0 : 1;
}

/* A decay time of 0 is at once, whatever that of muzzy pages is. */
static int case_at_once(void)
{
	if (free_and_wait(LOAD_BYTES, 0, NULL) >= 50)
		return 1;
	return read_number("stats.arenas.4096.pmuzzy") == 0 ? 0 : 2;
}

/* Nothing asks for it, so nothing goes: the other cases can fail. */
static int case_never(void)
{
	return free_and_wait(SMALL_LOAD_BYTES, 300, one_malloc) > 800 ? 0 : 1;
}

/* With the muzzy step in between both the kernel and the books know. */
static int case_muzzy(void)
{
	free_and_wait(SMALL_LOAD_BYTES, 700, one_malloc);
	sleep_ms(700);
	one_malloc();
	return read_number("stats.arenas.4096.pmuzzy") == 0 &&
			       read_number("stats.arenas.4096.muzzy_purged") > 0
		       ? 0
		       : 1;
}

/* Freed late in the life of an arena that had nothing: all stays at first. */
static int case_fresh(void)
{
	one_malloc();
	sleep_ms(1500);
	return free_and_wait(SMALL_LOAD_BYTES, 100, one_malloc) > 800 ? 0 : 1;
}

static int child_gives_back(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(free_and_wait(SMALL_LOAD_BYTES, 1300, NULL) < 200 ? 0
									: 1);
	if (waitpid(child, &status, 0) != child || status)
		return 2;
	return 0;
}

/* The thread is there again after a fork, on both sides. */
static int case_forks(void)
{
	int i, failed = free_and_wait(SMALL_LOAD_BYTES, 1300, NULL) >= 200;

	for (i = 0; i < 50 && !failed; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			unload(load(1 << 20));
			_exit(0);
		}
		failed = waitpid(child, &status, 0) != child || status;
	}
	if (!failed)
		failed = child_gives_back();
	if (!failed)
		failed = free_and_wait(SMALL_LOAD_BYTES, 1300, NULL) >= 200;
	return failed || read_number("stats.background_thread.num_runs") < 2;
}

static void *toggle(void *unused)
{
	int i;

	for (i = 0; i < 200; i++) {
		bool on = i % 2;

		mallctl("background_thread", NULL, NULL, &on, sizeof(on));
		one_large();
	}
	return unused;
}

static int case_toggle(void)
{
	pthread_t threads[2];
	bool on = false;
	int i;

	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, toggle, NULL);
	for (i = 0; i < 20; i++)
		unload(load(4 << 20));
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	mallctl("background_thread", NULL, NULL, &on, sizeof(on));
	return read_number("stats.background_thread.num_threads") != 0;
}

#define IDLERS 64
#define WAKING_MS 3000
#define WAKINGS 5
static pthread_barrier_t idle;

static void *free_some_and_idle(void *unused)
{
	for (int i = 0; i < 50; i++) {
		char *volatile some[16];

		for (int j = 0; j < 16; j++) {
			some[j] = malloc(200000);
			memset(some[j], 1, 200000);
		}
		for (int j = 0; j < 16; j++)
			free(some[j]);
	}
	pthread_barrier_wait(&idle);
	return unused;
}

/* Threads free much while it is being started, and are idle then. */
static bool is_woken(void)
{
	uint64_t runs = read_number("stats.background_thread.num_runs");
	pthread_t threads[IDLERS];
	bool woken = false;
	int i;

	pthread_barrier_init(&idle, NULL, IDLERS + 1);
	for (i = 0; i < IDLERS; i++)
		pthread_create(&threads[i], NULL, free_some_and_idle, NULL);
	/* Asked sooner, a control might wake it. */
	sleep_ms(WAKING_MS);
	woken = read_number("stats.background_thread.num_runs") != runs;
	pthread_barrier_wait(&idle);
	for (i = 0; i < IDLERS; i++)
		pthread_join(threads[i], NULL);
	return woken;
}

/* It is started once in a process, and seldom at the worst moment. */
static int case_woken(void)
{
	for (int i = 0; i < WAKINGS; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			execl("/proc/self/exe", "give_back", "woken-once",
			      (char *)NULL);
			_exit(127);
		}
		if (waitpid(child, &status, 0) != child || status)
			return 1;
	}
	return 0;
}

/* Ends with the last thread although the background thread runs. */
static int case_last(void)
{
	unload(load(SMALL_LOAD_BYTES));
	one_large();
	if (read_number("stats.background_thread.num_threads") != 1)
		return 1;
	pthread_exit(NULL);
}

static int case_exec(void)
{
	unload(load(SMALL_LOAD_BYTES));
	one_large();
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

/* Signals of the process reach the program's threads alone. */
static int case_signals(void)
{
	sigset_t set;

	unload(load(SMALL_LOAD_BYTES));
	one_large();
	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	sleep_ms(100);
	return signals != 0;
}

#define DECAY "dirty_decay_ms:1000,"

static const struct test_case {
	const char *name;
	const char *conf;
	const char *description;
	int (*run)(void);
} cases[] = {
	{"thread", DECAY "dirty_limit:-1,background_thread:true",
	 "a background thread gives 95 % back, with no further call",
	 case_thread},
	{"call", DECAY "dirty_limit:-1",
	 "without one the next call, of 16 bytes, does", case_call},
	{"threads-idle", DECAY "dirty_limit:-1,background_thread:true",
	 "so it does where four threads freed, and idle", case_threads_idle},
	{"cached", DECAY "background_thread:true",
	 "so does what a thread has cached for large objects", case_cached},
	{"threads-call", DECAY "dirty_limit:-1",
	 "without it the next call of one of them does", case_threads_call},
	{"threads-other", DECAY "dirty_limit:-1",
	 "or of a thread that freed nothing, of 1 MiB", case_threads_other},
	{"limit", "prof:false", "the bound in bytes gives 95 % back at once",
	 case_limit},
	{"slow", "prof:false",
	 "caches go where a thread does little for some seconds", case_slow},
	{"at-once", "dirty_decay_ms:0,muzzy_decay_ms:-1,dirty_limit:-1",
	 "so does no decay time, past that of muzzy pages", case_at_once},
	{"never", "dirty_decay_ms:-1,dirty_limit:-1", "or nothing, where told",
	 case_never},
	{"muzzy", "dirty_decay_ms:500,muzzy_decay_ms:500,dirty_limit:-1",
	 "muzzy pages go in their turn", case_muzzy},
	{"fresh", DECAY "dirty_limit:-1",
	 "what was just freed stays at first, however late", case_fresh},
	{"forks", DECAY "dirty_limit:-1,background_thread:true",
	 "after forks the background thread is there, in the child too",
	 case_forks},
	{"toggle", "dirty_decay_ms:10,background_thread:true",
	 "it is started and ended while others allocate", case_toggle},
	{"woken", "dirty_decay_ms:300,background_thread:true",
	 "what is freed while it is started is not left lying", case_woken},
	{"last", DECAY "background_thread:true",
	 "it does not keep alive a process whose threads have ended",
	 case_last},
	{"exec", DECAY "background_thread:true", "nor hinders exec", case_exec},
	{"signals", DECAY "background_thread:true", "and takes no signals",
	 case_signals},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static int run_case(const char *self, const struct test_case *test)
{
	pid_t child = fork();
	int status;

	if (!child) {
		setenv("MALLOC_CONF", test->conf, 1);
		execl(self, self, test->name, (char *)NULL);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

int main(int argc, char **argv)
{
	unsigned i;

	if (argc > 1) {
		alarm(60);
		if (!strcmp(argv[1], "woken-once"))
			return !is_woken();
		for (i = 0; i < CASES; i++)
			if (!strcmp(argv[1], cases[i].name))
				return cases[i].run();
		return 126;
	}
	plan(CASES);
	for (i = 0; i < CASES; i++)
		is_int(run_case("/proc/self/exe", &cases[i]), 0,
		       cases[i].description);
	return done_testing();
}
