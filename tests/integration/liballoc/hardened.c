/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that is killed when it calls mincore, as services are to which
 * systemd allows @system-service: large objects, hardly touched and filled, are
 * allocated, resized and freed all the same. Exits with 77 where the kernel
 * has no such filters.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ROUNDS 3000

static int forbid_mincore(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mincore, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]),
				     filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(void)
{
	if (forbid_mincore())
		return 77;
	for (size_t i = 0; i < ROUNDS; i++) {
		char *volatile object = malloc((1 << 20) + i % 7 * 65536);

		if (!object)
			return 1;
		if (i % 50)
			object[0] = 1;
		else
			memset(object, 1, 1 << 20);
		free(object);
		object = malloc(600000);
		object = object ? realloc(object, 3000000 + i) : NULL;
		if (!object)
			return 2;
		free(object);
	}
	return 0;
}
