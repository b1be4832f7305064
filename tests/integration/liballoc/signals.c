/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals at a high rate during malloc. Handlers that keep to what is
 * async-signal-safe do no harm on any path; handlers that allocate, which
 * they must not, are served on the slow paths without deadlock or damage.
 */
#include "config.h"

#include "tap/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "liballoc/include/liballoc/liballoc.h"

#define STEPS 400000
#define LEAST_SIGNALS 5000
#define MOST_SIGNALS 20000
#define SLOTS 256

static volatile sig_atomic_t handled;
static unsigned damaged;
static uint64_t seed = 1;
static unsigned char *slots[SLOTS];
static size_t sizes[SLOTS];
static void *volatile from_handler;

static void count(int signal_number)
{
	(void)signal_number;
	handled++;
}

static void allocate(int signal_number)
{
	char *a = malloc(100), *b = calloc(1, 70000);
	void *old = from_handler;

	(void)signal_number;
	if (!a || !b || b[69999])
		damaged++;
	if (a)
		memset(a, 1, 100);
	from_handler = a;
	free(old);
	free(b);
	handled++;
}

static void step(void)
{
	size_t k, i;

	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	k = seed >> 56;
	if (slots[k]) {
		for (i = 0; i < sizes[k] && i < 32; i++)
			damaged += slots[k][i] != (unsigned char)k;
		free(slots[k]);
	}
	sizes[k] = (size_t)1 << (seed >> 33) % 15;
	slots[k] = malloc(sizes[k]);
	memset(slots[k], (int)k, sizes[k] < 32 ? sizes[k] : 32);
}

static void storm(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler,
				   .sa_flags = SA_RESTART};
	struct itimerval soon = {{0, 0}, {0, 50}}, never = {{0, 0}, {0, 0}};
	sig_atomic_t seen = -1;
	unsigned i;

	handled = 0;
	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < STEPS || handled < LEAST_SIGNALS; i++) {
		/* One by one: where handlers are slow the steps go on too. */
		if (seen != handled && handled < MOST_SIGNALS) {
			seen = handled;
			setitimer(ITIMER_REAL, &soon, NULL);
		}
		step();
	}
	setitimer(ITIMER_REAL, &never, NULL);
}

int main(void)
{
	bool off = false;

	plan(3);
	storm(count);
	is_uint(damaged, 0, "handlers that do not allocate do no harm");
	is_int(mallctl("thread.tcache.enabled", NULL, NULL, &off, sizeof(off)),
	       0, "without a cache, all paths are slow paths");
	storm(allocate);
	is_uint(damaged, 0, "there handlers that allocate are served");
	return done_testing();
}
