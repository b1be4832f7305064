/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hardened mincore|openat: a process that is killed when it calls mincore, as
 * services are to which systemd allows @system-service; or when it opens a
 * file, as those may be that parse what comes from elsewhere. Large objects,
 * hardly touched and filled, are allocated, resized and freed all the same, by
 * a child and by code that no sample came from yet. Exits with 77 where the
 * kernel has no such filters.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 3000

static int forbid(unsigned number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]),
				     filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int use(void)
{
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

static int use_in_child(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(use());
	return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}

int main(int argc, char **argv)
{
	if (forbid(argc > 1 && strcmp(argv[1], "openat") == 0 ? SYS_openat
							      : SYS_mincore))
		return 77;
	return use() || use_in_child();
}
