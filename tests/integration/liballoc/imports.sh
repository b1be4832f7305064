#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What liballoc imports is held against this list: each is known neither to
# allocate, nor to take a lock that an allocation can be asked for under, on
# the paths where liballoc calls it. Stdio and locale have no place here; the
# C++ runtime and dlsym are for an operator new that has failed, and
# malloc_info writes to the stream that it is handed, holding nothing.
. "$top_srcdir/tests/tap/tap.sh"
plan 2

allowed='
_ITM_deregisterTMCloneTable _ITM_registerTMCloneTable __gmon_start__
__libc_single_threaded
__cxa_atexit __cxa_finalize __register_atfork __tls_get_addr __stack_chk_fail
__errno_location __environ environ abort exit _exit
bcmp memchr memcmp memcpy memmove memset strchr strcmp strcspn strlen strncmp
stpcpy strcat strcpy strncpy strnlen strrchr strspn memrchr rawmemchr strstr
clock_gettime getauxval getpid getppid sysconf prctl sched_getaffinity sched_getcpu
__sched_cpucount sched_yield syscall
getrlimit mmap munmap mremap madvise mprotect open close read write pread readlink lseek
rename unlink fchmod fstat stat lstat geteuid process_vm_readv fcntl
sigfillset pthread_attr_init pthread_attr_setstacksize pthread_attr_destroy
pthread_create pthread_join pthread_sigmask pthread_setcancelstate
pthread_key_create pthread_setspecific pthread_self pthread_getattr_np
fputs ferror
_dl_find_object _r_debug dl_iterate_phdr
sigaction sigemptyset sigaddset sigismember sigpending sigtimedwait
signal raise pause memccpy
dlopen dlsym dlclose _Unwind_SetGR _Unwind_SetIP __cxa_begin_catch
__cxa_end_catch __cxa_allocate_exception __cxa_throw _ZSt15get_new_handlerv
_ZSt17__throw_bad_allocv _ZNSt9bad_allocD1Ev _ZTISt9bad_alloc _ZTVSt9bad_alloc
'
nm -D --undefined-only "$liballoc" | awk '{ sub(/@.*/, "", $NF); print $NF }' |
	sort -u >"$tmp/imports"
printf '%s\n' $allowed | sort -u >"$tmp/allowed"
comm -23 "$tmp/imports" "$tmp/allowed" >"$tmp/new"
[ -s "$tmp/imports" ]
result $? 'liballoc imports something'
[ ! -s "$tmp/new" ]
result $? 'and nothing that is not on the list' || diag_file "$tmp/new"
