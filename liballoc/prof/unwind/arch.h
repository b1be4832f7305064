/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between processors: DWARF's register numbers (System V ABI,
 * AMD64 supplement, figure 3.36; "DWARF for the Arm 64-bit Architecture",
 * section 4.1), and how to take down the registers of the running function.
 */
#ifndef LIBALLOC_PROF_UNWIND_ARCH_H
#define LIBALLOC_PROF_UNWIND_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
# define UNWIND_REGISTERS 17u
# define UNWIND_FP 6u
# define UNWIND_SP 7u
# define UNWIND_PC 16u /* also the column of the return address */
#elif defined(__aarch64__)
# define UNWIND_REGISTERS 33u
# define UNWIND_FP 29u
# define UNWIND_LR 30u
# define UNWIND_SP 31u
# define UNWIND_PC 32u
#endif

/* The registers of a frame; reg[UNWIND_PC] is where it executes. */
struct unwind_registers {
	uint64_t reg[UNWIND_REGISTERS];
};

/* Takes down what the caller's CFI may refer to, at this very place. */
static inline __attribute__((always_inline)) void
unwind_capture(struct unwind_registers *r)
{
#if defined(__x86_64__)
	uint64_t *reg = r->reg;

	/* What a call may change: rax, rdx, rcx, rsi, rdi and r8 to r11. */
	reg[0] = reg[1] = reg[2] = reg[4] = reg[5] = 0;
	reg[8] = reg[9] = reg[10] = reg[11] = 0;
	__asm__ volatile("movq %%rbx, 24(%0)\n\t"
			 "movq %%rbp, 48(%0)\n\t"
			 "movq %%rsp, 56(%0)\n\t"
			 "movq %%r12, 96(%0)\n\t"
			 "movq %%r13, 104(%0)\n\t"
			 "movq %%r14, 112(%0)\n\t"
			 "movq %%r15, 120(%0)\n\t"
			 "leaq 0(%%rip), %%rax\n\t"
			 "movq %%rax, 128(%0)"
			 :
			 : "r"(reg)
			 : "rax", "memory");
#elif defined(__aarch64__)
	for (unsigned i = 0; i < UNWIND_REGISTERS; i++)
		r->reg[i] = 0;
	__asm__ volatile("stp x19, x20, [%0, 152]\n\t"
			 "stp x21, x22, [%0, 168]\n\t"
			 "stp x23, x24, [%0, 184]\n\t"
			 "stp x25, x26, [%0, 200]\n\t"
			 "stp x27, x28, [%0, 216]\n\t"
			 "stp x29, x30, [%0, 232]\n\t"
			 "mov x9, sp\n\t"
			 "adr x10, .\n\t"
			 "stp x9, x10, [%0, 248]"
			 :
			 : "r"(r->reg)
			 : "x9", "x10", "memory");
#endif
}

/* A return address without the signature that pointer authentication adds. */
static inline uint64_t unwind_strip(uint64_t pc)
{
#if defined(__aarch64__)
	register uint64_t x30 __asm__("x30") = pc;

	__asm__("hint 7" : "+r"(x30)); /* xpaclri */
	return x30;
#else
	return pc;
#endif
}

#endif
