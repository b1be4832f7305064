/* SPDX-License-Identifier: BSD-2-Clause */
/* The handler, and which number each name of opt.prof_signal has. */
#include "config.h"

#include "liballoc/prof/signal.h"

#include <signal.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/print.h"
#include "liballoc/prof/files.h"
#include "liballoc/prof/prof.h"

/* In the order of the option's words. */
static const int numbers[] = {
	0,	SIGHUP,	 SIGQUIT,  SIGUSR1, SIGUSR2,
	SIGURG, SIGPROF, SIGWINCH, SIGIO,   SIGPWR,
};

static void on_signal(int number)
{
	(void)number;
	__atomic_fetch_or(&prof_wishes, UINT32_C(1) << DUMP_SIGNAL,
			  __ATOMIC_RELAXED);
}

/* On the alternate stack: some languages' threads have little other. */
__attribute__((cold)) void signal_boot(void)
{
	const struct sigaction ours = {.sa_handler = on_signal,
				       .sa_flags = SA_RESTART | SA_ONSTACK};
	int number = numbers[opt.prof_signal];
	struct sigaction theirs;

	if (!number || sigaction(number, NULL, &theirs) != 0)
		return;
	if (theirs.sa_flags & SA_SIGINFO ||
	    (theirs.sa_handler != SIG_DFL && theirs.sa_handler != SIG_IGN))
		warning("the program has a handler for the signal of "
			"prof_signal: it makes no dumps",
			NULL);
	else
		sigaction(number, &ours, NULL);
}
