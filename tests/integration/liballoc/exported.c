/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exported copy of the figures: one sealed descriptor of a high number,
 * this process's own after every kind of fork, gone without harm where the
 * program closes it, and not made where limits or filters forbid it.
 */
#include "config.h"

#include "tap/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "liballoc/include/liballoc/liballoc.h"
#include "liballoc/ledger/layout.h"

#ifndef F_SEAL_FUTURE_WRITE
# define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* How many there are; *last is one of them. */
static unsigned exported(int *last)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	char text[64];
	unsigned count = 0;

	while (folder && (entry = readdir(folder))) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, text,
				       sizeof(text) - 1);

		text[n > 0 ? n : 0] = '\0';
		if (strncmp(text, "/memfd:" LEDGER_EXPORT_NAME, 23) != 0)
			continue;
		*last = atoi(entry->d_name);
		count++;
	}
	if (folder)
		closedir(folder);
	return count;
}

static struct ledger_header read_header(int fd)
{
	struct ledger_header header = {0};

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		header.magic = 0;
	return header;
}

static bool is_mine(int fd)
{
	struct ledger_header header = read_header(fd);

	return header.magic == LEDGER_MAGIC && header.pid == getpid() &&
	       header.flags & LEDGER_SNAPSHOT;
}

static void work(void)
{
	uint64_t epoch = 1;

	for (unsigned i = 0; i < 2000; i++)
		free(malloc(16 + i * 97));
	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
}

static void test_sealed(int fd)
{
	char path[64], byte = 0;
	int other;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDWR | O_CLOEXEC);
	ok(fd >= 500 && fcntl(fd, F_GETFD) & FD_CLOEXEC,
	   "its number is high, and exec closes it (%d)", fd);
	ok(fcntl(fd, F_GET_SEALS) & F_SEAL_FUTURE_WRITE, "it is sealed");
	ok(other >= 0 && pwrite(other, &byte, 1, 0) < 0 &&
		   ftruncate(other, 0) != 0 &&
		   mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other,
			0) == MAP_FAILED,
	   "nobody else writes or cuts it");
	close(other);
}

/* Status 0: the child has one of its own, and it is kept up to date. */
static int judge_child(void)
{
	uint64_t before;
	int fd = -1;

	work();
	if (exported(&fd) != 1 || !is_mine(fd))
		return 1;
	before = read_header(fd).generation;
	work();
	return read_header(fd).generation > before ? 0 : 2;
}

static int wait_for(pid_t child)
{
	int status = -1;

	if (child <= 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void test_forks(int fd)
{
	static char before[65536], after[65536];
	pid_t child = fork();

	if (child == 0)
		_exit(judge_child());
	is_int(wait_for(child), 0, "the child of a fork has its own");
	ok(is_mine(fd), "and its parent too");
	/* Past all handlers: a child that must not write into ours. */
	if (pread(fd, before, sizeof(before), 0) < 4096)
		exit(99);
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		work();
		_exit(0);
	}
	is_int(wait_for(child), 0, "a raw clone allocates");
	if (pread(fd, after, sizeof(after), 0) < 4096)
		exit(99);
	ok(memcmp(before, after, sizeof(before)) == 0,
	   "and leaves its parent's alone");
}

/* Whatever has its number by now is not ours. */
static void test_closed(int fd)
{
	char text[8] = "";
	int file = fileno(tmpfile()), other = -1;
	pid_t child;

	if (file < 0 || write(file, "theirs", 6) != 6 || dup2(file, fd) != fd)
		exit(99);
	work();
	ok(exported(&other) == 0 && pread(fd, text, 7, 0) == 6 &&
		   strcmp(text, "theirs") == 0,
	   "closed by the program, it is gone, and its number is not used");
	child = fork();
	if (child == 0) {
		int status = judge_child();

		_exit(status ? status
			     : 4 * !(pread(fd, text, 7, 0) == 6 &&
				     strcmp(text, "theirs") == 0));
	}
	is_int(wait_for(child), 0, "a child has one again, beside that");
}

/* Runs this program to do what, with a limit: its status. */
static int run_after(void (*limit)(void), const char *what)
{
	pid_t child = fork();

	if (child == 0) {
		limit();
		execl("/proc/self/exe", "exported", what, (char *)NULL);
		_exit(98);
	}
	return wait_for(child);
}

static void nothing(void)
{
}

static void set_limit(int resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	setrlimit((__rlimit_resource_t)resource, &limit);
}

static void no_files(void)
{
	set_limit(RLIMIT_FSIZE, 0);
}

static void few_descriptors(void)
{
	set_limit(RLIMIT_NOFILE, 10);
}

static void switched_off(void)
{
	setenv("MALLOC_CONF", "ledger_export:false", 1);
}

static void filtered(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(0);
}

static int count_after(void (*limit)(void))
{
	return run_after(limit, "count");
}

static void test_limits(void)
{
	is_int(count_after(nothing), 1, "another program has its own");
	is_int(count_after(no_files), 0, "none with files limited to nothing");
	is_int(count_after(few_descriptors), 1, "a low number, if it must be");
	is_int(count_after(switched_off), 0, "none with ledger_export:false");
	is_int(count_after(filtered), 0, "none without memfd_create");
}

static int count_own(void)
{
	int fd = -1, count = (int)exported(&fd);

	work();
	return count;
}

/* Where a process forks a lot, its children may go without. */
static int fork_often(void)
{
	int wrong = 0, fd = -1;

	for (unsigned i = 0; i < 60; i++) {
		pid_t child = fork();

		if (child == 0) {
			unsigned count;

			work();
			count = exported(&fd);
			if (!is_mine(fd) && read_header(fd).pid != getppid())
				_exit(1);
			_exit(count != 1);
		}
		wrong += wait_for(child) != 0;
	}
	work();
	return wrong + (exported(&fd) != 1 || !is_mine(fd));
}

int main(int argc, char **argv)
{
	int fd = -1;

	if (argc > 1)
		return strcmp(argv[1], "count") ? fork_often() : count_own();
	work();
	if (exported(&fd) == 0)
		return skip_all("no sealed memfd can be had here");
	plan(17);
	is_uint(exported(&fd), 1, "there is one");
	ok(is_mine(fd), "of this process");
	test_sealed(fd);
	test_forks(fd);
	test_closed(fd);
	test_limits();
	is_int(run_after(nothing, "forks"), 0,
	       "each of many children has its own or its parent's");
	return done_testing();
}
