/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process for jestat to ask: "asked idle" allocates only when a line comes
 * in, "asked small" and "asked large" all the time, in small objects that the
 * caches serve or in a large one that is reused. Each says "ready" first, and
 * for each line of input what holds now, and ends with its input.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <liballoc/liballoc.h>

static void *volatile sink;

static void use(size_t bytes, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		sink = malloc(bytes);
		free(sink);
	}
}

static void tell(void)
{
	bool active = false;
	size_t lg_sample = 0, size = sizeof(active);

	mallctl("prof.active", &active, &size, NULL, 0);
	size = sizeof(lg_sample);
	mallctl("prof.lg_sample", &lg_sample, &size, NULL, 0);
	printf("active %d, rate %zu\n", active, lg_sample);
	fflush(stdout);
}

static bool has_input(int timeout_ms)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};

	return poll(&input, 1, timeout_ms) > 0;
}

int main(int argc, char **argv)
{
	bool idle = argc > 1 && !strcmp(argv[1], "idle");
	size_t bytes = argc > 1 && !strcmp(argv[1], "small") ? 64 : 1 << 20;
	char line[16];

	puts("ready");
	fflush(stdout);
	for (;;) {
		if (!has_input(idle ? -1 : 1)) {
			use(bytes, bytes < 1024 ? 100000 : 10);
			continue;
		}
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		use(8 << 20, 1);
		tell();
	}
}
