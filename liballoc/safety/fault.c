/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on guarded objects. Owns the handler and the action that it replaced.
 * Takes no lock, and calls only what is async-signal-safe; once it has told,
 * the signal does what it would have done without it.
 */
#include "config.h"

#include "liballoc/safety/fault.h"

#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "liballoc/prof/backtrace.h"
#include "liballoc/prof/unwind/unwind.h"
#include "liballoc/safety/guard.h"
#include "liballoc/safety/report.h"

static struct sigaction previous;

/* The registers at the fault, by DWARF's numbers. */
static void take_registers(struct unwind_registers *to, const ucontext_t *from)
{
#if defined(__x86_64__)
	static const int order[UNWIND_REGISTERS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
		REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
		REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

	for (unsigned i = 0; i < UNWIND_REGISTERS; i++)
		to->reg[i] = (uint64_t)from->uc_mcontext.gregs[order[i]];
#elif defined(__aarch64__)
	for (unsigned i = 0; i < UNWIND_SP; i++)
		to->reg[i] = from->uc_mcontext.regs[i];
	to->reg[UNWIND_SP] = from->uc_mcontext.sp;
	to->reg[UNWIND_PC] = from->uc_mcontext.pc;
#endif
}

static void report(const char *what, uintptr_t address,
		   const ucontext_t *context)
{
	uint64_t frames[REPORT_FRAMES];
	unsigned count = 0;
	struct unwind unwind;
	struct print out;

	report_claim();
	report_start(&out, what, address);
	guard_describe(&out, address);
	take_registers(&unwind.registers, context);
	unwind_ready(&unwind, NULL);
	do
		frames[count++] = unwind_address(&unwind);
	while (count < REPORT_FRAMES && unwind_next(&unwind));
	report_stack(&out, "touched by", frames, count);
	print_end(&out);
}

/* As if this handler had never been there. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	if (previous.sa_flags & SA_SIGINFO && previous.sa_sigaction)
		previous.sa_sigaction(number, info, context);
	else if (previous.sa_handler != SIG_DFL &&
		 previous.sa_handler != SIG_IGN)
		previous.sa_handler(number);
	else
		/* The instruction faults again, or who sent it sends it. */
		signal(number, SIG_DFL);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;
	int kept_errno = errno;
	const char *what;

	if (info->si_code > 0 && guard_explain(address, &what))
		report(what, address, context);
	errno = kept_errno;
	if (info->si_code <= 0 && previous.sa_handler == SIG_IGN)
		return;
	pass_on(number, info, context);
	/* One that was sent does not come again by itself. */
	if (info->si_code <= 0 && previous.sa_handler == SIG_DFL)
		raise(number);
}

void fault_boot(void)
{
	struct sigaction action = {.sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &previous);
}
