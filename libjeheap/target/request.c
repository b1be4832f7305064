/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a request into a process's ledger and waits for the answer. The
 * kernel lets only those write who might trace the process: its user, or root.
 */
#include "config.h"

#include "libjeheap/target/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 5000000

/* In one piece, since it is aligned and a word. */
static bool write_vm(int pid, uint64_t address, const uint64_t *word)
{
	struct iovec here = {(void *)(uintptr_t)word, sizeof(*word)};
	struct iovec there = {(void *)(uintptr_t)address, sizeof(*word)};

	return process_vm_writev(pid, &here, 1, &there, 1, 0) ==
	       (ssize_t)sizeof(*word);
}

/* Where that is filtered away, as by seccomp, the file may work. */
static bool write_mem(int pid, uint64_t address, const uint64_t *word)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = pwrite(fd, word, sizeof(*word), (off_t)address);
	close(fd);
	return n == (ssize_t)sizeof(*word);
}

static bool write_word(const struct target *target, uint64_t address,
		       uint64_t word, struct diag *diag)
{
	int error;

	if (write_vm(target->pid, address, &word))
		return true;
	error = errno;
	if (error != ESRCH && write_mem(target->pid, address, &word))
		return true;
	errno = error;
	return diag_errno(diag, "cannot write to the memory of %s",
			  target->name);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Two requests of one number would be told apart by nothing: never 0. */
static uint32_t draw_number(void)
{
	uint64_t time = now_ns() ^ (uint64_t)getpid() << 40;

	return (uint32_t)((time * UINT64_C(0x9e3779b97f4a7c15)) >> 32) | 1;
}

/* Where the words are; 0 and a reason where the process takes no requests. */
static uint64_t find_control(struct target *target, struct arena *arena,
			     enum request_outcome *outcome, struct diag *diag)
{
	struct ledger_view view;

	*outcome = REQUEST_FAILED;
	if (!target_read_ledger(target, 1u << LEDGER_CONTROL, arena, &view,
				diag))
		return 0;
	*outcome = REQUEST_REFUSED;
	if (view.count[LEDGER_CONTROL] == 0)
		diag_set(diag,
			 "%s runs on an older liballoc (%s), which takes no "
			 "requests",
			 target->name, view.header.version);
	else if (!(view.header.flags & LEDGER_PROF_CONTROL))
		diag_set(diag,
			 "%s takes no requests: it must be started with "
			 "MALLOC_CONF=prof_control:true",
			 target->name);
	else
		return target->ledger_address +
		       view.header.sections[LEDGER_CONTROL].offset;
	return 0;
}

static enum request_outcome judge(const struct target *target, int error,
				  struct diag *diag)
{
	if (error == 0)
		return REQUEST_DONE;
	if (error == ENOENT)
		diag_set(diag,
			 "%s refused: it keeps no profile (prof:false, or "
			 "prof_prefix is empty)",
			 target->name);
	else if (error == EINVAL)
		diag_set(diag,
			 "%s refused: its liballoc does not know this request",
			 target->name);
	else
		diag_set(diag,
			 "%s could not do it: %s; its standard error may say "
			 "more",
			 target->name, strerror(error));
	return REQUEST_REFUSED;
}

static enum request_outcome wait_for(struct target *target, uint64_t address,
				     uint64_t request, double seconds,
				     struct diag *diag)
{
	uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);
	struct timespec pause = {0, POLL_NS};
	struct ledger_control control;

	for (;;) {
		if (!target_read(target, address, &control, sizeof(control),
				 diag))
			return REQUEST_FAILED;
		if (control.answer >> 32 == ledger_request_number(request))
			return judge(target, (int)(uint32_t)control.answer,
				     diag);
		if (control.request != request) {
			diag_set(diag,
				 "another request to %s took the place of this "
				 "one; ask again",
				 target->name);
			return REQUEST_REFUSED;
		}
		if (now_ns() >= until)
			break;
		nanosleep(&pause, NULL);
	}
	diag_set(diag,
		 "%s has not answered within %g s: it is idle, or stopped; it "
		 "will do so when it next allocates or frees in earnest",
		 target->name, seconds);
	return REQUEST_WAITS;
}

enum request_outcome target_request(struct target *target, unsigned command,
				    unsigned value, double seconds,
				    struct diag *diag)
{
	uint64_t request = ledger_request(draw_number(), command, value);
	struct arena arena = {0};
	enum request_outcome outcome;
	uint64_t address = find_control(target, &arena, &outcome, diag);

	arena_free(&arena);
	if (address == 0)
		return outcome;
	if (!write_word(target,
			address + offsetof(struct ledger_control, request),
			request, diag))
		return REQUEST_FAILED;
	return wait_for(target, address, request, seconds, diag);
}
