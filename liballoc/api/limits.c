/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setrlimit, prlimit, mlockall and prctl, as in the C library, and one thing
 * more: a process that limits its own address space could map nothing from then
 * on, nor start a thread, since the class map takes more of it than most limits
 * allow; and one that locks all it has mapped would be refused, or have page
 * tables made for all of that map. It is given up then. One that gives up
 * privileges may be about to have itself killed for system calls that it does
 * not make: then no file is opened any more. Owns no state.
 */
#include "config.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "liballoc/api/api.h"
#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/page_map.h"
#include "liballoc/ledger/ledger.h"

_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64),
	       "the kernel's struct serves both");

/*
 * Weak, so that a program that is linked statically, and takes in the C
 * library's for another function of that file, has that one.
 */
#define LIMIT_API API __attribute__((weak, cold))

/*
 * A child of vfork has its parent's memory, and limits of its own. Before boot
 * there is no ledger.
 */
static __attribute__((cold)) bool is_ours(void)
{
	const struct ledger_header *header = ledger_header();

	return header && getpid() == header->pid;
}

static __attribute__((cold)) int set(pid_t pid, int resource,
				     const void *wanted, void *old)
{
	if (syscall(SYS_prlimit64, pid, resource, wanted, old))
		return -1;
	if (!wanted || (resource != RLIMIT_AS && resource != RLIMIT_DATA) ||
	    !is_ours())
		return 0;
	__atomic_fetch_add(&os_limit_changes, 1, __ATOMIC_RELAXED);
	if (os_address_space_is_limited())
		page_map_give_up_classes();
	return 0;
}

LIMIT_API int setrlimit(enum __rlimit_resource resource,
			const struct rlimit *wanted)
{
	return set(0, (int)resource, wanted, NULL);
}

LIMIT_API int setrlimit64(enum __rlimit_resource resource,
			  const struct rlimit64 *wanted)
{
	return set(0, (int)resource, wanted, NULL);
}

LIMIT_API int prlimit(pid_t pid, enum __rlimit_resource resource,
		      const struct rlimit *wanted, struct rlimit *old)
{
	return set(pid, (int)resource, wanted, old);
}

LIMIT_API int prlimit64(pid_t pid, enum __rlimit_resource resource,
			const struct rlimit64 *wanted, struct rlimit64 *old)
{
	return set(pid, (int)resource, wanted, old);
}

LIMIT_API int prctl(int option, ...)
{
	unsigned long argument[4];
	va_list arguments;

	va_start(arguments, option);
	for (unsigned i = 0; i < 4; i++)
		argument[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	if (option == PR_SET_NO_NEW_PRIVS || option == PR_SET_SECCOMP)
		look_end();
	return (int)syscall(SYS_prctl, option, argument[0], argument[1],
			    argument[2], argument[3]);
}

LIMIT_API int mlockall(int flags)
{
	if (flags & MCL_CURRENT && is_ours())
		page_map_give_up_classes();
	return (int)syscall(SYS_mlockall, flags);
}
