/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure FILE COMMAND...: runs the command and appends a line to FILE: its
 * wall-clock seconds, its CPU seconds, and the peak resident KiB of it or of
 * any child that it waited for. BENCH_PRELOAD and BENCH_CONF become the
 * command's LD_PRELOAD and MALLOC_CONF. Exits as the command did.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pass_on(const char *from, const char *to)
{
	const char *value = getenv(from);

	if (value && *value)
		setenv(to, value, 1);
	else
		unsetenv(to);
}

static int fail(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	return 125;
}

static int report(const char *path, double wall, const struct rusage *usage)
{
	FILE *file = fopen(path, "a");

	if (!file)
		return fail(path);
	fprintf(file, "%.6f %.6f %ld\n", wall,
		seconds(&usage->ru_utime) + seconds(&usage->ru_stime),
		usage->ru_maxrss);
	return fclose(file) ? fail(path) : 0;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double start;
	int status, failed;
	pid_t child;

	if (argc < 3) {
		fputs("Usage: measure FILE COMMAND...\n", stderr);
		return 125;
	}
	start = now();
	child = fork();
	if (child < 0)
		return fail("fork");
	if (child == 0) {
		pass_on("BENCH_PRELOAD", "LD_PRELOAD");
		pass_on("BENCH_CONF", "MALLOC_CONF");
		execvp(argv[2], argv + 2);
		_exit(fail(argv[2]));
	}
	while (wait4(child, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return fail("wait4");
	failed = report(argv[1], now() - start, &usage);
	if (failed)
		return failed;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
