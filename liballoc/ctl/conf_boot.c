/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sources of the options, read once at boot: the malloc_conf symbols,
 * /etc/malloc.conf, MALLOC_CONF. Writes opt; owns both symbols. Never
 * allocates, calls no getenv (which a program may have replaced or locked).
 */
#include "config.h"

#include "liballoc/ctl/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "liballoc/ctl/conf.h"
#include "liballoc/ctl/print.h"
#include "liballoc/heap/container.h"
#include "liballoc/heap/os.h"
#include "liballoc/heap/size_class.h"
#include "liballoc/include/liballoc/liballoc.h"

__attribute__((visibility("default"), weak)) const char *malloc_conf = NULL;
__attribute__((visibility("default"), weak))
const char *malloc_conf_2_conf_harder = NULL;

struct option_sources option_sources = {"", "", "", ""};

extern char **environ;
char **conf_environment;

#define ENVIRONMENT_KEY "MALLOC_CONF="

/* Line ends become commas, runs of them one, none at either end. */
static void join_lines(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from != '\n')
			*to++ = *from;
		else if (to > text && to[-1] != ',')
			*to++ = ',';
	}
	if (to > text && to[-1] == ',')
		to--;
	*to = '\0';
}

static ssize_t read_whole(const char *path, char *text, size_t size)
{
	int fd = os_open(path);
	size_t length = 0;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while (length < size) {
		n = os_read(fd, text + length, size - length);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	os_close(fd);
	return n < 0 ? -1 : (ssize_t)length;
}

__attribute__((cold)) bool conf_read_file(const char *path,
					  char text[CONF_FILE_BYTES])
{
	ssize_t length = os_read_link(path, text, CONF_FILE_BYTES);
	bool is_link = length >= 0;

	if (!is_link)
		length = read_whole(path, text, CONF_FILE_BYTES);
	if (length == CONF_FILE_BYTES)
		message("Too long, not used: ", path, NULL);
	if (length < 0 || length == CONF_FILE_BYTES) {
		/* An empty one is not written, so that it needs no page. */
		if (text[0])
			text[0] = '\0';
		return false;
	}
	text[length] = '\0';
	if (!is_link)
		join_lines(text);
	return true;
}

static const char *environment_text(void)
{
	char **entry = environ ? environ : conf_environment;

	if (!entry || getauxval(AT_SECURE))
		return NULL;
	for (; *entry; entry++)
		if (strncmp(*entry, ENVIRONMENT_KEY,
			    sizeof(ENVIRONMENT_KEY) - 1) == 0)
			return *entry + sizeof(ENVIRONMENT_KEY) - 1;
	return NULL;
}

struct source {
	const char *name;
	const char *text;
};

static void confirm_source(const struct source *source)
{
	struct print out;

	print_start(&out, NULL, NULL);
	print_text(&out, "<liballoc>: malloc_conf (");
	print_text(&out, source->name);
	print_text(&out, "): \"");
	print_masked(&out, source->text, strlen(source->text));
	print_text(&out, "\"\n");
	print_end(&out);
}

/* Whether to confirm is known only when all sources have been read. */
static bool wants_confirmation(const struct source *sources, unsigned count)
{
	struct options all = opt;

	for (unsigned i = 0; i < count; i++)
		conf_apply(&all, sources[i].text, CONF_QUIET);
	return all.confirm_conf;
}

static bool apply_sources(const struct source *sources, unsigned count)
{
	bool confirm = wants_confirmation(sources, count);
	bool good = true;

	for (unsigned i = 0; i < count; i++) {
		if (confirm)
			confirm_source(&sources[i]);
		good &= conf_apply(&opt, sources[i].text,
				   confirm ? CONF_CONFIRM : CONF_REPORT);
	}
	return good;
}

/*
 * One for every two CPUs that we may run on: threads seldom come to an arena,
 * and the parts of slabs that lie idle are there once for each.
 */
static unsigned default_narenas(void)
{
	return (container_cpu_count(os_cpu_count()) + 1) / 2;
}

unsigned conf_cpu_arenas(unsigned percpu_arena)
{
	unsigned cpus = os_cpu_limit();

	return percpu_arena == PERCPU_ARENA_PHYSICAL ? (cpus + 1) / 2 : cpus;
}

/* As jemalloc: the greater of what is asked for and one for each CPU. */
static void settle_narenas(void)
{
	unsigned cpus = 0;

	if (opt.percpu_arena)
		cpus = conf_cpu_arenas(opt.percpu_arena);
	else if (opt.narenas == 0)
		opt.narenas = default_narenas();
	if (opt.narenas < cpus)
		opt.narenas = cpus;
}

/* As jemalloc: what is less than a large object is none. */
static void settle_oversize(void)
{
	if (opt.oversize_threshold < SMALL_MAX_BYTES)
		opt.oversize_threshold = 0;
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

__attribute__((cold)) void conf_boot(void)
{
	static char file[CONF_FILE_BYTES] __attribute__((aligned(4096)));
	const struct source sources[] = {
		{"the variable malloc_conf", text_or_empty(malloc_conf)},
		{CONF_FILE, file},
		{"the environment variable MALLOC_CONF",
		 text_or_empty(environment_text())},
		{"the variable malloc_conf_2_conf_harder",
		 text_or_empty(malloc_conf_2_conf_harder)},
	};
	unsigned count = sizeof(sources) / sizeof(sources[0]);
	int saved = errno;

	conf_read_file(CONF_FILE, file);
	option_sources =
		(struct option_sources){sources[0].text, sources[1].text,
					sources[2].text, sources[3].text};
	if (!apply_sources(sources, count) && opt.abort_conf) {
		message("Abort (abort_conf:true) on invalid conf value "
			"(see above).",
			NULL);
		abort();
	}
	settle_narenas();
	settle_oversize();
	/* Who asks for the error asks for the report: as jemalloc. */
	opt.prof_leak = opt.prof_leak || opt.prof_leak_error;
	errno = saved;
}
