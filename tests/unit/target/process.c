/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other processes: finding their ledgers, and what is said where they are
 * gone, dead, kernel threads, somebody else's, or without a ledger.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "libjeheap/symbol/symbol.h"
#include "libjeheap/target/maps.h"
#include "libjeheap/target/target.h"
#include "tap/tap.h"
#include "unit/target/region.h"

#define MAPPING_BYTES ((size_t)1 << 20)
#define READINGS 3000u

static struct region *ledger;

/* A child that does what is told, then waits to be killed. */
static pid_t child_with(void (*act)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) != 0)
		exit(99);
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		if (act)
			act();
		if (write(ready[1], "x", 1) != 1)
			_exit(99);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		exit(99);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void make_ledger(void)
{
	ledger = mmap(NULL, MAPPING_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ledger == MAP_FAILED)
		_exit(99);
	region_fill(ledger);
}

static void make_busy_ledger(void)
{
	make_ledger();
	ledger->header.generation = 5;
}

/* Its tables settle after a while. */
static void settle(int signal_number)
{
	(void)signal_number;
	__atomic_store_n(&ledger->header.generation, 6, __ATOMIC_SEQ_CST);
}

static void make_settling_ledger(void)
{
	struct itimerval in_200_ms = {.it_value.tv_usec = 200000};

	make_busy_ledger();
	signal(SIGALRM, settle);
	setitimer(ITIMER_REAL, &in_200_ms, NULL);
}

/* Eight times a letter: names are text. */
static uint64_t letters_of(uint64_t uid)
{
	return ('a' + uid % 26) * UINT64_C(0x0101010101010101);
}

/* A row of threads that passes from one to the next, with all its figures. */
static void *pass_row(void *unused)
{
	struct ledger_thread *thread = &ledger->threads[2];
	uint64_t *name = (uint64_t *)(void *)thread->name;

	(void)unused;
	for (uint64_t uid = 1;; uid++) {
		__atomic_fetch_add(&thread->generation, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&thread->uid, uid, __ATOMIC_SEQ_CST);
		__atomic_store_n(&name[0], letters_of(uid), __ATOMIC_SEQ_CST);
		__atomic_store_n(&name[1], letters_of(uid) >> 8,
				 __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&thread->generation, 1, __ATOMIC_SEQ_CST);
		for (volatile unsigned i = 0; i < uid % 64 * 1000; i++)
			;
	}
	return NULL;
}

static void make_passing_ledger(void)
{
	pthread_t thread;

	make_ledger();
	ledger->threads[2] = (struct ledger_thread){0, 1, LEDGER_THREAD_LIVE,
						    "aaaaaaaaaaaaaaa", 0};
	if (pthread_create(&thread, NULL, pass_row, NULL) != 0)
		_exit(99);
}

static bool fails_with(pid_t pid, const char *text, const char *what)
{
	struct target target;
	struct diag diag = {0};
	bool opened = target_open(&target, pid, &diag);
	bool found = opened && target_find_ledger(&target, &diag);
	bool good = ok(!found && strstr(diag.text, text), "%s", what);

	if (!good)
		tap_line("# %s\n", diag.text);
	if (opened)
		target_close(&target);
	return good;
}

static void test_errors(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
	fails_with(pid, "has ended", "a zombie");
	waitpid(pid, NULL, 0);
	fails_with(pid, "is gone", "a process that is gone");
	fails_with(0, "no process id", "no process at all");
	pid = child_with(NULL);
	fails_with(pid, "does not run on liballoc", "another allocator's");
	end(pid);
}

static void test_kernel_thread(void)
{
	struct process_info info;

	if (process_info(2, &info) && info.rss_bytes == 0)
		fails_with(2, "kernel thread", "a kernel thread");
	else
		skip("a kernel thread", "none is to be seen here");
}

/* As a user who may not: only root can become one. */
static void test_stranger(void)
{
	pid_t parent = getpid(), pid;
	int status = 0;

	if (geteuid() != 0) {
		fails_with(1, "belongs to user", "somebody else's process");
		return;
	}
	pid = fork();
	if (pid == 0) {
		struct target target;
		struct diag diag = {0};

		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		if (target_open(&target, parent, &diag))
			_exit(3);
		_exit(strstr(diag.text, "belongs to user 0") ? 0 : 4);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	   "somebody else's process (%d)", WEXITSTATUS(status));
}

static void test_found(void)
{
	pid_t pid = child_with(make_ledger);
	struct arena arena = {0};
	struct ledger_view view;
	struct diag diag = {0};
	struct target target;
	size_t count, hidden, seen = 0;
	char word[8];
	int *pids;

	ok(target_open(&target, pid, &diag) &&
		   target_find_ledger(&target, &diag),
	   "a ledger is found by its magic");
	ok(target_read_ledger(&target, LEDGER_WANT_PROFILE, &arena, &view,
			      &diag),
	   "and read");
	is_uint(view.count[LEDGER_COUNTS], 4, "as it is");
	is_uint(view.count[LEDGER_ARENAS], 0, "without what is not wanted");
	ok(!target_read(&target, 4096, word, sizeof(word), &diag),
	   "memory that is not there cannot be read");
	diag_clear(&diag);
	ok(!target_read(&target, UINT64_MAX - 3, word, sizeof(word), &diag),
	   "nor beyond the end of the address space");
	target_close(&target);

	count = target_list(&arena, &pids, &hidden);
	for (size_t i = 0; i < count; i++)
		seen += pids[i] == pid;
	is_uint(seen, 1, "it is among the processes on liballoc");
	end(pid);
	arena_free(&arena);
}

static bool read_child(pid_t pid, struct ledger_view *view)
{
	struct arena arena = {0};
	struct diag diag = {0};
	struct target target;
	bool good = target_open(&target, pid, &diag) &&
		    target_read_ledger(&target, LEDGER_WANT_PROFILE, &arena,
				       view, &diag);

	if (!good)
		tap_line("# %s\n", diag.text);
	target_close(&target);
	arena_free(&arena);
	return good;
}

static void test_changing(void)
{
	pid_t pid = child_with(make_settling_ledger);
	struct ledger_view view;

	ok(read_child(pid, &view), "tables that settle are waited for");
	ok(view.header.generation == 6 && !view.unsettled,
	   "and read as they are then");
	end(pid);

	pid = child_with(make_busy_ledger);
	ok(read_child(pid, &view) && view.unsettled,
	   "tables that stand still half-way are read, and that is told");
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	ok(read_child(pid, &view) && view.unsettled,
	   "those of a stopped process too");
	end(pid);
}

/* Each copy of a row is one thread's, or nobody's where it cannot be had. */
static void test_passing(void)
{
	pid_t pid = child_with(make_passing_ledger);
	unsigned settled = 0, torn = 0;
	struct diag diag = {0};
	struct target target;

	if (!target_open(&target, pid, &diag) ||
	    !target_find_ledger(&target, &diag))
		exit(99);
	for (unsigned i = 0; i < READINGS; i++) {
		const struct ledger_thread *thread;
		const uint64_t *name;
		struct arena arena = {0};
		struct ledger_view view;

		if (!target_read_ledger(&target, 1u << LEDGER_THREADS, &arena,
					&view, &diag))
			exit(99);
		thread = ledger_row(&view, LEDGER_THREADS, 2);
		name = (const uint64_t *)(const void *)thread->name;
		if (thread->state == LEDGER_THREAD_FREE &&
		    thread->uid == LEDGER_OTHER_THREADS)
			torn += name[0] != 0;
		else if (name[0] == letters_of(thread->uid) &&
			 name[1] == letters_of(thread->uid) >> 8)
			settled++;
		else
			torn++;
		arena_free(&arena);
	}
	is_uint(torn, 0, "rows that pass from thread to thread are not mixed");
	ok(settled > 0, "and are read where they stand still (%u of %u)",
	   settled, READINGS);
	target_close(&target);
	end(pid);
}

static void test_gone_while_reading(void)
{
	pid_t pid = child_with(make_ledger);
	struct arena arena = {0};
	struct ledger_view view;
	struct diag diag = {0};
	struct target target;

	ok(target_open(&target, pid, &diag) &&
		   target_find_ledger(&target, &diag),
	   "a process is found");
	end(pid);
	ok(!target_read_ledger(&target, LEDGER_WANT_PROFILE, &arena, &view,
			       &diag) &&
		   strstr(diag.text, "is gone"),
	   "and gone before it is read");
	target_close(&target);
	arena_free(&arena);
}

static void test_build_id(void)
{
	struct str own, mapped, maps;
	struct map_line line = {0};
	struct arena arena = {0};
	struct diag diag = {0};
	struct target target;
	char path[4096] = "";

	if (!elf_build_id("/proc/self/exe", &arena, &own)) {
		skip("a build-id in memory", "programs here have none");
		arena_free(&arena);
		return;
	}
	target_open(&target, getpid(), &diag);
	maps = target.maps;
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		exit(99);
	while (next_map(&maps, &line) && !str_equal(line.path, str_of(path)))
		;
	ok(target_build_id(&target, line.start, &arena, &mapped) &&
		   str_equal(own, mapped),
	   "the build-id in memory is the file's");
	target_close(&target);
	arena_free(&arena);
}

static void test_info(void)
{
	struct process_info info;
	struct arena arena = {0};
	struct diag diag = {0};
	struct target target;

	ok(process_info(getpid(), &info), "facts of a process");
	is_string(info.command, "process", "its name");
	is_uint(info.uid, geteuid(), "its user");
	ok(info.rss_bytes > 4096 && info.threads == 1 &&
		   info.start_time_ticks > 0,
	   "its memory, threads and age");
	ok(!process_info(INT32_MAX, &info), "none of one that is not there");
	target_open(&target, getpid(), &diag);
	ok(str_ends_with(target_command_line(&target, &arena), STR("process")),
	   "its command line");
	target_close(&target);
	arena_free(&arena);
}

int main(void)
{
	plan(4 + 1 + 1 + 7 + 4 + 2 + 2 + 1 + 6);
	test_errors();
	test_kernel_thread();
	test_stranger();
	test_found();
	test_changing();
	test_passing();
	test_gone_while_reading();
	test_build_id();
	test_info();
	return done_testing();
}
