/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on another stack. */
#ifndef TESTS_UNIT_PROF_OTHER_STACK_H
#define TESTS_UNIT_PROF_OTHER_STACK_H

#include <stddef.h>
#include <ucontext.h>

/*
 * As those do that make room for deep recursion: the frame pointer leads back.
 * alloca makes gcc and clang find the frame by it.
 */
static __attribute__((noinline)) void call_on(char *top, void (*what)(void))
{
	volatile char *taken = __builtin_alloca((size_t)(top[-1] == 0) + 16);

	taken[0] = 1;
#if defined(__x86_64__)
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %0, %%rsp\n\t"
			 "callq *%1\n\t"
			 "movq %%rbx, %%rsp"
			 :
			 : "r"(top), "r"(what)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
			   "r10", "r11", "cc", "memory");
#elif defined(__aarch64__)
	__asm__ volatile("mov x19, sp\n\t"
			 "mov sp, %0\n\t"
			 "blr %1\n\t"
			 "mov sp, x19"
			 :
			 : "r"(top), "r"(what)
			 : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
			   "x9", "x10", "x11", "x12", "x13", "x14", "x15",
			   "x16", "x17", "x18", "x19", "x30", "cc", "memory");
#endif
	taken[1] = taken[0];
}

/* As coroutines do: nothing leads back. */
static inline void run_on(char *stack, size_t bytes, void (*what)(void))
{
	ucontext_t outside, inside;

	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = bytes;
	inside.uc_link = &outside;
	makecontext(&inside, what, 0);
	swapcontext(&outside, &inside);
}

#endif
