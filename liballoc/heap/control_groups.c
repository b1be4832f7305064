/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the process's control groups by /proc/self/cgroup and
 * /proc/self/mountinfo, and reads their files, from the own group up to the
 * mount's root: each ancestor's limit counts. Owns its buffers; trusts no
 * file: what does not parse sets no limit.
 */
#include "config.h"

#include "liballoc/heap/control_groups.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/looks.h"
#include "liballoc/heap/os.h"

#define PATH_BYTES 1024u
#define BUFFER_BYTES 4096u
/* Groups are nested no deeper than anybody looks. */
#define MAX_LEVELS 32u
/* The groups are looked for again after so many readings of their limits. */
#define READINGS_PER_SEARCH 30u
/* More nobody has: the file says something else. */
#define CPUS_MAX (1u << 20)
/* Unless opt.prof_dump_above says less. */
#define NEAR_PERCENT 75u
/* What version 1 says for none is some pages below that. */
#define V1_NO_LIMIT (UINT64_C(1) << 60)

/* One controller's groups: path is the own one, top bytes of it the root's. */
struct group {
	bool v2;
	char path[PATH_BYTES];
	size_t top; /* 0: not found */
	/* What /proc/self/cgroup says, while searching. */
	char inside[PATH_BYTES];
	bool inside_v1;
};

static struct group memory_group, cpu_group;
static unsigned readings;
/* Of each level's, in the order of the walk upwards. */
static uint64_t limits[MAX_LEVELS];
static char buffer[BUFFER_BYTES];
static char file_path[PATH_BYTES + 64];

struct text {
	const char *at;
	size_t length;
};

/* Appends to path at length; false: it does not fit. */
static bool append(char *path, size_t size, size_t *length, struct text text)
{
	if (text.length >= size - *length)
		return false;
	memcpy(path + *length, text.at, text.length);
	*length += text.length;
	path[*length] = '\0';
	return true;
}

static struct text text_of(const char *string)
{
	return (struct text){string, strlen(string)};
}

static size_t read_some(int fd, char *to, size_t size)
{
	ssize_t n = os_read(fd, to, size);

	return n > 0 ? (size_t)n : 0;
}

/* Runs each on every line that fits the buffer; others are left out. */
static void read_lines(const char *path,
		       void (*each)(struct text line, void *context),
		       void *context)
{
	size_t have = 0, got, budget = (size_t)1 << 20;
	int fd = look_open(path);
	bool skipping = false;
	char *end;

	if (fd < 0)
		return;
	while (budget &&
	       (got = read_some(fd, buffer + have, BUFFER_BYTES - have))) {
		budget -= got < budget ? got : budget;
		have += got;
		while ((end = memchr(buffer, '\n', have))) {
			size_t length = (size_t)(end - buffer);

			if (!skipping)
				each((struct text){buffer, length}, context);
			skipping = false;
			have -= length + 1;
			memmove(buffer, end + 1, have);
		}
		if (have == BUFFER_BYTES) {
			skipping = true;
			have = 0;
		}
	}
	look_close(fd);
}

/* The text up to the next separator, which both are taken off *line. */
static struct text take_field(struct text *line, char separator)
{
	const char *end =
		line->length ? memchr(line->at, separator, line->length) : NULL;
	struct text field = *line;

	if (!end) {
		*line = (struct text){line->at + line->length, 0};
		return field;
	}
	field.length = (size_t)(end - line->at);
	line->at = end + 1;
	line->length -= field.length + 1;
	return field;
}

static bool is(struct text text, const char *string)
{
	return text.length == strlen(string) &&
	       memcmp(text.at, string, text.length) == 0;
}

static bool lists(struct text list, const char *word)
{
	while (list.length)
		if (is(take_field(&list, ','), word))
			return true;
	return false;
}

static void keep_inside(struct group *group, struct text path, bool v1)
{
	size_t length = 0;

	if (group->inside_v1)
		return;
	if (append(group->inside, PATH_BYTES, &length, path))
		group->inside_v1 = v1;
	else
		group->inside[0] = '\0';
}

/* "hierarchy:controllers:path" */
__attribute__((cold)) static void visit_group(struct text line, void *unused)
{
	struct text id = take_field(&line, ':');
	struct text controllers = take_field(&line, ':');
	bool v2 = is(id, "0") && !controllers.length;

	(void)unused;
	if (v2 || lists(controllers, "memory"))
		keep_inside(&memory_group, line, !v2);
	if (v2 || lists(controllers, "cpu"))
		keep_inside(&cpu_group, line, !v2);
}

/* The kernel writes space, tab, newline and backslash as \ooo. */
static size_t unescape(struct text text, char *to, size_t size)
{
	size_t length = 0, i;

	for (i = 0; i < text.length && length + 1 < size; i++) {
		const char *at = text.at + i;

		if (*at == '\\' && text.length - i > 3 && at[1] >= '0' &&
		    at[1] <= '3') {
			to[length++] =
				(char)((at[1] - '0') << 6 | (at[2] - '0') << 3 |
				       (at[3] - '0'));
			i += 3;
		} else {
			to[length++] = *at;
		}
	}
	to[length] = '\0';
	return i == text.length ? length : 0;
}

/*
 * The group's path below the mount's root: what inside has beyond root. Where
 * it is not below it (another namespace), the mount's root is all there is.
 */
static const char *below(const char *inside, const char *root)
{
	size_t length = strlen(root);

	if (length == 1)
		length = 0;
	if (strncmp(inside, root, length) != 0 ||
	    (inside[length] && inside[length] != '/') ||
	    strncmp(inside, "/..", 3) == 0)
		return "";
	return inside[length] == '/' && !inside[length + 1] ? ""
							    : inside + length;
}

static void set_path(struct group *group, struct text root, struct text mount,
		     bool v2)
{
	char plain_root[256];
	size_t length = 0;

	if (!unescape(root, plain_root, sizeof(plain_root)))
		return;
	if (!append(group->path, PATH_BYTES, &length, text_of(opt.cgroup_root)))
		return;
	if (mount.length >= PATH_BYTES - length)
		return;
	length += unescape(mount, group->path + length, PATH_BYTES - length);
	group->v2 = v2;
	group->top = length;
	if (!append(group->path, PATH_BYTES, &length,
		    text_of(below(group->inside, plain_root))))
		group->path[group->top] = '\0';
}

/* proc(5): id parent device root mount options [optional] - type source ... */
__attribute__((cold)) static void visit_mount(struct text line, void *unused)
{
	struct text root, mount, field, type;
	unsigned i;

	(void)unused;
	for (i = 0; i < 3; i++)
		take_field(&line, ' ');
	root = take_field(&line, ' ');
	mount = take_field(&line, ' ');
	do
		field = take_field(&line, ' ');
	while (line.length && !is(field, "-"));
	type = take_field(&line, ' ');
	take_field(&line, ' ');
	for (i = 0; i < 2; i++) {
		struct group *group = i ? &cpu_group : &memory_group;
		const char *controller = i ? "cpu" : "memory";

		if (group->top || !group->inside[0])
			continue;
		if (group->inside_v1
			    ? is(type, "cgroup") && lists(line, controller)
			    : is(type, "cgroup2"))
			set_path(group, root, mount, !group->inside_v1);
	}
}

static const char *rooted(const char *path)
{
	size_t length = 0;

	if (!append(file_path, sizeof(file_path), &length,
		    text_of(opt.cgroup_root)) ||
	    !append(file_path, sizeof(file_path), &length, text_of(path)))
		file_path[0] = '\0';
	return file_path;
}

__attribute__((cold)) static void search(void)
{
	memory_group.top = cpu_group.top = 0;
	memory_group.inside[0] = cpu_group.inside[0] = '\0';
	memory_group.inside_v1 = cpu_group.inside_v1 = false;
	read_lines(rooted("/proc/self/cgroup"), visit_group, NULL);
	if (memory_group.inside[0] || cpu_group.inside[0])
		read_lines(rooted("/proc/self/mountinfo"), visit_mount, NULL);
}

/* Decimal, saturating; none: there is no digit. */
static uint64_t parse(struct text text, uint64_t none)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < text.length && text.at[i] >= '0' && text.at[i] <= '9';
	     i++) {
		unsigned digit = (unsigned)(text.at[i] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return UINT64_MAX;
		value = value * 10 + digit;
	}
	return i ? value : none;
}

/* A file in the group's directory of so many bytes, into buffer. */
static struct text read_file(const struct group *group, size_t directory,
			     const char *name)
{
	size_t length = 0;
	int fd;

	if (!append(file_path, sizeof(file_path), &length,
		    (struct text){group->path, directory}) ||
	    !append(file_path, sizeof(file_path), &length, text_of("/")) ||
	    !append(file_path, sizeof(file_path), &length, text_of(name)))
		return (struct text){"", 0};
	fd = look_open(file_path);
	if (fd < 0)
		return (struct text){"", 0};
	length = read_some(fd, buffer, BUFFER_BYTES);
	look_close(fd);
	return (struct text){buffer, length};
}

static uint64_t read_number(const struct group *group, size_t directory,
			    const char *name, uint64_t none)
{
	return parse(read_file(group, directory, name), none);
}

/* The directory above; 0: that was the top. */
static size_t up(const struct group *group, size_t directory)
{
	if (directory <= group->top)
		return 0;
	do
		directory--;
	while (directory > group->top && group->path[directory] != '/');
	return directory;
}

static unsigned cpus_of(uint64_t quota, uint64_t period)
{
	uint64_t count;

	if (!quota || quota == GROUP_NO_LIMIT || !period)
		return 0;
	count = quota / period + (quota % period != 0);
	return count > CPUS_MAX ? 0 : (unsigned)count;
}

/* cpu.max: "QUOTA|max PERIOD"; cpu.cfs_quota_us is -1 for none. */
static unsigned level_cpus(size_t directory)
{
	const struct group *group = &cpu_group;
	uint64_t quota;
	struct text line, word;

	if (group->v2) {
		line = read_file(group, directory, "cpu.max");
		word = take_field(&line, ' ');
		return cpus_of(parse(word, 0), parse(line, 100000));
	}
	quota = read_number(group, directory, "cpu.cfs_quota_us", 0);
	return cpus_of(quota, read_number(group, directory, "cpu.cfs_period_us",
					  100000));
}

__attribute__((cold)) unsigned groups_cpu_count(void)
{
	unsigned least = 0, level = 0, count;
	size_t directory;

	search();
	if (!cpu_group.top)
		return 0;
	directory = strlen(cpu_group.path);
	for (; directory && level < MAX_LEVELS; level++) {
		count = level_cpus(directory);
		if (count && (!least || count < least))
			least = count;
		directory = up(&cpu_group, directory);
	}
	return least;
}

/* Of "FIRST-LAST" or "ONE"; 0: neither. */
static uint64_t cpus_in(struct text range)
{
	uint64_t first = parse(take_field(&range, '-'), GROUP_NO_LIMIT), last;

	if (first == GROUP_NO_LIMIT)
		return 0;
	last = range.at[-1] == '-' ? parse(range, GROUP_NO_LIMIT) : first;
	return last < first || last == GROUP_NO_LIMIT ? 0 : last - first + 1;
}

/* The real machine's count the kernel tells, with what we are bound to. */
__attribute__((cold)) unsigned groups_machine_cpus(void)
{
	static struct group system;
	size_t length = 0;
	uint64_t count = 0, some;
	struct text list;

	if (!*opt.cgroup_root ||
	    !append(system.path, PATH_BYTES, &length, text_of(opt.cgroup_root)))
		return 0;
	list = read_file(&system, length, "sys/devices/system/cpu/online");
	while (list.length && list.at[list.length - 1] == '\n')
		list.length--;
	while (list.length) {
		some = cpus_in(take_field(&list, ','));
		if (!some || some > CPUS_MAX)
			return 0;
		count += some;
	}
	return count > CPUS_MAX ? 0 : (unsigned)count;
}

static uint64_t level_limit(size_t directory)
{
	const struct group *group = &memory_group;
	uint64_t max, high;

	if (!group->v2) {
		max = read_number(group, directory, "memory.limit_in_bytes",
				  GROUP_NO_LIMIT);
		return max >= V1_NO_LIMIT ? GROUP_NO_LIMIT : max;
	}
	max = read_number(group, directory, "memory.max", GROUP_NO_LIMIT);
	high = read_number(group, directory, "memory.high", GROUP_NO_LIMIT);
	return max < high ? max : high;
}

static void read_limits(void)
{
	size_t directory = strlen(memory_group.path);
	unsigned level;

	for (level = 0; level < MAX_LEVELS; level++) {
		limits[level] = GROUP_NO_LIMIT;
		if (!directory)
			continue;
		limits[level] = level_limit(directory);
		directory = up(&memory_group, directory);
	}
}

/* The page cache counts as used, but goes before anybody is killed. */
static uint64_t droppable(size_t directory)
{
	const char *prefix = memory_group.v2 ? "" : "total_";
	struct text rest = read_file(&memory_group, directory, "memory.stat");
	size_t skip = strlen(prefix);
	uint64_t bytes = 0;

	while (rest.length) {
		struct text line = take_field(&rest, '\n');
		struct text name = take_field(&line, ' ');

		if (name.length < skip || memcmp(name.at, prefix, skip) != 0)
			continue;
		name.at += skip;
		name.length -= skip;
		if (is(name, "inactive_file") || is(name, "active_file"))
			bytes += parse(line, 0);
	}
	return bytes;
}

/* From where on the limit is near enough for a closer look at the usage. */
static uint64_t near(uint64_t limit)
{
	unsigned percent = opt.prof_dump_above.percent;

	if (!percent || percent > NEAR_PERCENT)
		percent = NEAR_PERCENT;
	return limit / 100 * percent;
}

static uint64_t level_usage(size_t directory, uint64_t limit)
{
	const char *name =
		memory_group.v2 ? "memory.current" : "memory.usage_in_bytes";
	uint64_t usage = read_number(&memory_group, directory, name, 0);
	uint64_t cache;

	if (usage < near(limit))
		return usage;
	cache = droppable(directory);
	return usage > cache ? usage - cache : 0;
}

static void read_usage(struct group_memory *memory)
{
	size_t directory = strlen(memory_group.path);
	uint64_t least = UINT64_MAX;
	unsigned level;

	memory->limit = GROUP_NO_LIMIT;
	memory->usage = 0;
	for (level = 0; level < MAX_LEVELS && directory; level++) {
		uint64_t limit = limits[level], usage, room;

		if (limit != GROUP_NO_LIMIT) {
			usage = level_usage(directory, limit);
			room = limit > usage ? limit - usage : 0;
			if (room < least) {
				least = room;
				memory->limit = limit;
				memory->usage = usage;
			}
		}
		directory = up(&memory_group, directory);
	}
}

/* "some avg10=12.34 avg60=..." in hundredths. */
static uint64_t parse_pressure(struct text line)
{
	static const char head[] = "some avg10=";
	const size_t length = sizeof(head) - 1;
	struct text whole;

	if (line.length <= length || memcmp(line.at, head, length) != 0)
		return 0;
	line.at += length;
	line.length -= length;
	whole = take_field(&line, '.');
	return parse(whole, 0) % 1000 * 100 +
	       parse((struct text){line.at, line.length < 2 ? 0 : 2}, 0);
}

static uint64_t read_pressure(void)
{
	struct text text = {"", 0};
	int fd;

	if (memory_group.top && memory_group.v2)
		text = read_file(&memory_group, strlen(memory_group.path),
				 "memory.pressure");
	if (text.length)
		return parse_pressure(text);
	fd = look_open(rooted("/proc/pressure/memory"));
	if (fd < 0)
		return 0;
	text = (struct text){buffer, read_some(fd, buffer, BUFFER_BYTES)};
	look_close(fd);
	return parse_pressure(text);
}

void groups_read_memory(struct group_memory *memory, bool limits_too)
{
	int kept_errno = errno;

	if (limits_too) {
		if (readings++ % READINGS_PER_SEARCH == 0)
			search();
		if (memory_group.top)
			read_limits();
		memory->pressure = read_pressure();
	}
	if (memory_group.top)
		read_usage(memory);
	errno = kept_errno;
}
