/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * no_attach COMMAND...: runs it as a user whom Yama forbids to attach to other
 * processes: process_vm_readv fails with EPERM, and to open /proc/PID/mem with
 * EACCES, as they do there; kernel.yama.ptrace_scope reads as 1, and all else
 * goes on. By a seccomp filter that hands each open to this program for a look
 * at its path. Exits with 77 where the kernel has no such filters, else as the
 * command does.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77
#define TROUBLE 99

#define ON(number, result)                                                     \
 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                            \
	 BPF_STMT(BPF_RET | BPF_K, result)

static int install_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		ON(SYS_process_vm_readv, SECCOMP_RET_ERRNO | EPERM),
		ON(SYS_openat, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* The message of one descriptor; cmsg(3). */
struct parcel {
	struct msghdr message;
	struct iovec data;
	char byte;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static void pack(struct parcel *parcel)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->data = (struct iovec){&parcel->byte, 1};
	parcel->message.msg_iov = &parcel->data;
	parcel->message.msg_iovlen = 1;
	parcel->message.msg_control = parcel->control;
	parcel->message.msg_controllen = sizeof(parcel->control);
}

static bool send_descriptor(int socket, int fd)
{
	struct parcel parcel;
	struct cmsghdr *header;

	pack(&parcel);
	header = CMSG_FIRSTHDR(&parcel.message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &parcel.message, 0) == 1;
}

static int receive_descriptor(int socket)
{
	struct parcel parcel;
	struct cmsghdr *header;
	int fd = -1;

	pack(&parcel);
	if (recvmsg(socket, &parcel.message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&parcel.message);
	if (header)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* The path that a filtered thread wants to open. */
static void read_path(pid_t pid, uint64_t address, char *path, size_t size)
{
	struct iovec here = {path, size - 1};
	struct iovec there = {(void *)(uintptr_t)address, size - 1};
	ssize_t n;

	memset(path, 0, size);
	/* It may end close to the end of what is mapped. */
	do
		n = process_vm_readv(pid, &here, 1, &there, 1, 0);
	while (n < 0 && errno == EFAULT &&
	       (here.iov_len = --there.iov_len) > 0);
	path[n > 0 ? n : 0] = '\0';
}

static bool is_memory_of_process(const char *path)
{
	const char *name = strrchr(path, '/');

	return strncmp(path, "/proc/", 6) == 0 && name &&
	       strcmp(name, "/mem") == 0;
}

/* Gives the thread a descriptor as what it opened; false: it cannot. */
static bool open_setting(int listener, uint64_t id)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.newfd_flags = O_CLOEXEC,
	};
	int ends[2], made = -1;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	add.srcfd = (uint32_t)ends[0];
	if (write(ends[1], "1\n", 2) == 2)
		made = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	close(ends[0]);
	close(ends[1]);
	return made >= 0;
}

static void answer(int listener)
{
	struct seccomp_notif_resp response = {0};
	struct seccomp_notif request;
	char path[64];

	memset(&request, 0, sizeof(request));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
		return;
	read_path((pid_t)request.pid, request.data.args[1], path, sizeof(path));
	if (strcmp(path, "/proc/sys/kernel/yama/ptrace_scope") == 0 &&
	    open_setting(listener, request.id))
		return;
	response.id = request.id;
	if (is_memory_of_process(path))
		response.error = -EACCES;
	else
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/* Until nobody is left who is filtered. */
static void supervise(int listener)
{
	struct pollfd poll_fd = {.fd = listener, .events = POLLIN};

	while (poll(&poll_fd, 1, -1) > 0 || errno == EINTR) {
		if (poll_fd.revents & POLLIN)
			answer(listener);
		else if (poll_fd.revents)
			break;
	}
}

static void run(int socket, char **command)
{
	int listener = install_filter();

	if (listener < 0 || !send_descriptor(socket, listener))
		_exit(SKIPPED);
	close(listener);
	execvp(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	int sockets[2], listener, status;
	pid_t child;

	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
		return TROUBLE;
	child = fork();
	if (child == 0) {
		close(sockets[0]);
		run(sockets[1], argv + 1);
	}
	close(sockets[1]);
	listener = receive_descriptor(sockets[0]);
	if (listener >= 0)
		supervise(listener);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return TROUBLE;
	return WEXITSTATUS(status);
}
