/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop that watches a process. Deadlines are absolute, so that rows do
 * not drift; a pidfd ends the wait at once when the process ends, however
 * long the interval is, and is never fooled by a reused pid.
 */
#include "config.h"

#include "jestat/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)
/* Between the loss of its memory and the end of a process. */
#define ENDING_MS 2000
/* Between two looks at a process that has changed its program. */
#define RETRY_MS 20

struct watch {
	struct target target;
	int pidfd; /* -1: the kernel has none (before Linux 5.3) */
	uint64_t start_ticks;
	struct reading readings[2];
	uint64_t taken;
};

static struct reading *current(struct watch *watch)
{
	return &watch->readings[watch->taken % 2];
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static bool is_gone(const struct watch *watch)
{
	struct process_info info;

	return !process_info(watch->target.pid, &info) ||
	       info.start_time_ticks != watch->start_ticks ||
	       info.rss_bytes == 0;
}

/* Waits for the end of the process, at most so long; true: it has ended. */
static bool wait_for_end(const struct watch *watch, uint64_t ns)
{
	struct pollfd fd = {.fd = watch->pidfd, .events = POLLIN};
	struct timespec timeout = {(time_t)(ns / NS_PER_SECOND),
				   (long)(ns % NS_PER_SECOND)};

	if (ppoll(&fd, watch->pidfd >= 0, &timeout, NULL) > 0)
		return true;
	return watch->pidfd < 0 && is_gone(watch);
}

/* Until the deadline; true: the process has ended meanwhile. */
static bool wait_until(const struct watch *watch, uint64_t deadline)
{
	uint64_t now;

	while ((now = now_ns()) < deadline) {
		if (wait_for_end(watch, deadline - now))
			return true;
	}
	return false;
}

static bool open_target(struct watch *watch, int pid, struct diag *diag)
{
	if (!target_open(&watch->target, pid, diag))
		return false;
	if (!target_find_ledger(&watch->target, diag)) {
		target_close(&watch->target);
		return false;
	}
	if (watch->target.snapshot_fd >= 0)
		warn("jestat",
		     "the memory of %s may not be read; its figures are those "
		     "that it exports",
		     watch->target.name);
	return true;
}

static bool print_and_flush(struct watch *watch,
			    const struct print_options *options,
			    struct diag *diag)
{
	struct reading *before =
		watch->taken ? &watch->readings[(watch->taken + 1) % 2] : NULL;

	/* After an exec the counters began again. */
	if (before && before->view.header.start_time_ns !=
			      current(watch)->view.header.start_time_ns)
		before = NULL;
	print_reading(current(watch), before, options, watch->taken);
	if (fflush(stdout) != 0 || ferror(stdout))
		return diag_errno(diag, "cannot write standard output");
	watch->taken++;
	return true;
}

/* 0: it is gone. */
static uint64_t start_of(int pid)
{
	struct process_info info;

	return process_info(pid, &info) ? info.start_time_ticks : 0;
}

static bool look_again(struct watch *watch, int pid, struct diag *diag)
{
	*diag = (struct diag){0};
	target_close(&watch->target);
	return open_target(watch, pid, diag) &&
	       reading_take(current(watch), &watch->target, diag);
}

/*
 * The process runs another program now, which may not have come to allocate
 * yet. False: it does not run on liballoc, or has ended meanwhile.
 */
static bool reopen(struct watch *watch, int pid, struct diag *diag)
{
	uint64_t deadline = now_ns() + ENDING_MS * (NS_PER_SECOND / 1000);

	do
		if (look_again(watch, pid, diag))
			return true;
	while (now_ns() < deadline &&
	       !wait_for_end(watch, RETRY_MS * (NS_PER_SECOND / 1000)));
	return false;
}

/*
 * A reading failed. True: the process runs another program now, and that is
 * on liballoc too. False: it ended, or left liballoc, which has been told.
 */
static bool recover(struct watch *watch, const char *command)
{
	int pid = watch->target.pid;
	struct diag diag = {0};
	char name[sizeof(watch->readings[0].info.command)];

	snprintf(name, sizeof(name), "%s", command);
	if (wait_for_end(watch, 0) ||
	    (is_gone(watch) &&
	     wait_for_end(watch, ENDING_MS * (NS_PER_SECOND / 1000)))) {
		fprintf(stderr, "jestat: process %d (%s) has ended\n", pid,
			name);
		return false;
	}
	if (reopen(watch, pid, &diag))
		return true;
	if (wait_for_end(watch, 0))
		fprintf(stderr, "jestat: process %d (%s) has ended\n", pid,
			name);
	else
		fprintf(stderr, "jestat: lost process %d (%s): %s\n", pid, name,
			diag.text);
	return false;
}

static bool loop(struct watch *watch, const struct schedule *schedule,
		 const struct print_options *options, struct diag *diag)
{
	uint64_t interval =
		(uint64_t)(schedule->interval_seconds * (double)NS_PER_SECOND);
	uint64_t deadline = now_ns(), now;

	while (print_and_flush(watch, options, diag)) {
		const char *command =
			watch->readings[(watch->taken + 1) % 2].info.command;
		struct diag lost = {0};

		if (!interval ||
		    (schedule->count && watch->taken == schedule->count))
			return true;
		/* A stop of this process must not end in a burst of rows. */
		now = now_ns();
		deadline += interval;
		if (deadline < now)
			deadline = now;
		if ((wait_until(watch, deadline) ||
		     !reading_take(current(watch), &watch->target, &lost)) &&
		    !recover(watch, command))
			return true;
	}
	return false;
}

bool watch_process(int pid, const struct schedule *schedule,
		   const struct print_options *options, struct diag *diag)
{
	static struct watch watch;
	bool good;

	/* First of all: so it is the process that is opened below, or none. */
	watch.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	good = open_target(&watch, pid, diag);
	if (good) {
		watch.start_ticks = start_of(pid);
		/* It may have changed its program just now. */
		good = reading_take(current(&watch), &watch.target, diag) ||
		       reopen(&watch, pid, diag);
		good = good && loop(&watch, schedule, options, diag);
		target_close(&watch.target);
	}
	reading_free(&watch.readings[0]);
	reading_free(&watch.readings[1]);
	if (watch.pidfd >= 0)
		close(watch.pidfd);
	return good;
}
