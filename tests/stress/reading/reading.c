/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a process of 64 busy threads (busy.c) over and over, as jeprof and
 * jestat do and by them, while it runs, while it is stopped and when it is
 * deadlocked: each reading must succeed, no figure be impossible, no counter
 * fall, and the totals lie within the bounds that the process's own books
 * give for the time of the reading. READINGS (150) says how often; with
 * READING_SECONDS it goes on for so long instead.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "libjeheap/profile/estimate.h"
#include "libjeheap/profile/from_ledger.h"
#include "libjeheap/profile/read.h"
#include "libjeheap/target/proc.h"
#include "libjeheap/target/target.h"
#include "stress/reading/truth.h"
#include "tap/tap.h"

/* A reading, or a command, that takes longer hangs. */
#define PATIENCE_SECONDS 120u
/* So far from the truth, samples are not to blame. */
#define ERRORS_MOST 6
/* What the C library allocates for threads and libraries. */
#define OTHERS_BYTES 4e6
/* Of a thread's cache, and what is on the way between them. */
#define CACHE_BYTES 2e6

#define WANT (LEDGER_WANT_STATS | LEDGER_WANT_PROFILE)

static struct truth *truth;
static struct target target;
static pid_t subject;

/* What is tested: each is one line of TAP, whatever the number of readings. */
static struct outcome {
	const char *what;
	unsigned checks, failures;
} readings = {"every reading was made", 0, 0},
  figures = {"no figure is impossible", 0, 0},
  counters = {"no counter falls", 0, 0},
  profiles = {"profiles are within what changed", 0, 0},
  totals = {"allocated is within what changed", 0, 0},
  stopped = {"a stopped process reads the same each time", 0, 0},
  children = {"children are read, as long as they live", 0, 0},
  commands = {"jeprof and jestat tell the same", 0, 0},
  exported = {"exported figures are read, and sound", 0, 0},
  deadlocked = {"a deadlocked process is read to the byte", 0, 0};

__attribute__((format(printf, 3, 4))) static bool
check(struct outcome *outcome, bool good, const char *format, ...)
{
	va_list args;

	outcome->checks++;
	if (good)
		return true;
	if (outcome->failures++ < 10) {
		tap_line("# %s: ", outcome->what);
		va_start(args, format);
		tap_write(format, args);
		va_end(args);
		tap_line("\n");
	}
	return false;
}

/* The bounds of what was in use while something was read. */
struct bounds {
	double allocated, freed; /* for certain, before */
	double low, high;	 /* in use */
	double allocating;	 /* at most, afterwards */
};

static double sum_of(size_t offset)
{
	double sum = 0;

	for (unsigned i = 0; i < TRUTH_THREADS; i++)
		sum += (double)truth_get(
			(const uint64_t *)(const void *)((const uint8_t *)&truth
								 ->slots[i] +
							 offset));
	return sum;
}

static void bounds_begin(struct bounds *b)
{
	b->allocated = sum_of(offsetof(struct truth_slot, allocated));
	b->freed = sum_of(offsetof(struct truth_slot, freed));
}

static void bounds_end(struct bounds *b)
{
	b->allocating = sum_of(offsetof(struct truth_slot, allocating));
	b->low = b->allocated - sum_of(offsetof(struct truth_slot, freeing));
	b->high = b->allocating - b->freed;
}

/* A copy of the ledger, and what it makes. */
struct reading {
	struct arena arena;
	struct ledger_view view;
	struct bounds bounds;
};

static bool take(struct reading *reading)
{
	struct diag diag = {0};
	bool good;

	alarm(PATIENCE_SECONDS);
	bounds_begin(&reading->bounds);
	good = target_read_ledger(&target, WANT, &reading->arena,
				  &reading->view, &diag);
	bounds_end(&reading->bounds);
	return check(&readings, good, "%s", diag.text);
}

static double metric_sum(const struct ledger_view *view, unsigned section,
			 const char *name)
{
	const struct ledger_metric *metric =
		ledger_view_metric(view, section, name);

	return metric ? (double)ledger_view_sum(view, metric) : NAN;
}

static uint64_t word_of(const struct ledger_view *view,
			const struct ledger_metric *metric, uint64_t row,
			uint32_t word)
{
	struct ledger_metric one = *metric;

	one.offset += word * (uint32_t)sizeof(uint64_t);
	return ledger_view_get(view, &one, row);
}

/* Rows of threads are used again, and begin anew. */
static bool same_row(const struct ledger_view *a, const struct ledger_view *b,
		     unsigned section, uint64_t row)
{
	const struct ledger_thread *x = ledger_row(a, section, row);
	const struct ledger_thread *y = ledger_row(b, section, row);

	if (row >= a->count[section] || row >= b->count[section])
		return false;
	return section != LEDGER_THREADS ||
	       (x->uid == y->uid && x->generation == y->generation);
}

static void compare_counters(const struct ledger_view *before,
			     const struct ledger_view *now, uint64_t first_row)
{
	for (uint64_t i = 0; i < now->count[LEDGER_METRICS]; i++) {
		const struct ledger_metric *m =
			ledger_row(now, LEDGER_METRICS, i);

		if (m->kind == LEDGER_GAUGE)
			continue;
		for (uint64_t row = first_row; row < now->count[m->section];
		     row++) {
			if (!same_row(before, now, m->section, row))
				continue;
			for (uint32_t k = 0; k < m->count; k++) {
				uint64_t old = word_of(before, m, row, k);
				uint64_t new = word_of(now, m, row, k);

				check(&counters, new >= old,
				      "%s of row %llu: %llu, then %llu",
				      m->name, (unsigned long long)row,
				      (unsigned long long)old,
				      (unsigned long long)new);
			}
		}
	}
}

static void check_gauges(const struct ledger_view *view)
{
	for (uint64_t i = 0; i < view->count[LEDGER_METRICS]; i++) {
		const struct ledger_metric *m =
			ledger_row(view, LEDGER_METRICS, i);

		if (m->unit == LEDGER_UNIT_MS || m->count > 1)
			continue;
		for (uint64_t row = 0; row < view->count[m->section]; row++) {
			uint64_t value = ledger_view_get(view, m, row);

			check(&figures, value < UINT64_C(1) << 62,
			      "%s of row %llu is %lld", m->name,
			      (unsigned long long)row, (long long)value);
		}
	}
}

/* What is given back was taken, of each class and arena. */
static void check_classes(const struct ledger_view *view)
{
	const struct ledger_metric *taken =
		ledger_view_metric(view, LEDGER_ARENA_CLASSES, "nmalloc");
	const struct ledger_metric *given =
		ledger_view_metric(view, LEDGER_ARENA_CLASSES, "ndalloc");

	for (uint64_t i = 0; i < view->count[LEDGER_ARENA_CLASSES]; i++) {
		uint64_t in = ledger_view_get(view, taken, i);
		uint64_t out = ledger_view_get(view, given, i);

		check(&figures, out <= in,
		      "class row %llu: %llu taken, %llu given back",
		      (unsigned long long)i, (unsigned long long)in,
		      (unsigned long long)out);
	}
}

static void check_samples(const struct ledger_view *view)
{
	for (uint64_t i = 0; i < view->count[LEDGER_SAMPLES]; i++) {
		const struct ledger_sample *s =
			ledger_row(view, LEDGER_SAMPLES, i);

		check(&figures,
		      s->address <= 1 ||
			      (s->count < view->count[LEDGER_COUNTS] &&
			       s->requested_bytes <= s->usable_bytes),
		      "sample %llu: row %u, %llu of %llu bytes",
		      (unsigned long long)i, s->count,
		      (unsigned long long)s->requested_bytes,
		      (unsigned long long)s->usable_bytes);
	}
	check(&figures,
	      view->torn_rows * 50 <= view->count[LEDGER_SAMPLES] + 50,
	      "%llu of %llu samples are torn",
	      (unsigned long long)view->torn_rows,
	      (unsigned long long)view->count[LEDGER_SAMPLES]);
}

static void check_figures(const struct ledger_view *view)
{
	double live = metric_sum(view, LEDGER_PROCESS, "threads_live");
	double made = metric_sum(view, LEDGER_PROCESS, "threads_created");

	check(&figures, live <= made && live <= 2 * TRUTH_THREADS,
	      "%g threads of %g", live, made);
	check(&figures,
	      metric_sum(view, LEDGER_PROCESS, "prof_dropped_samples") == 0,
	      "samples were dropped");
	check_gauges(view);
	check_classes(view);
	check_samples(view);
}

static double allocated_of(const struct ledger_view *view)
{
	return metric_sum(view, LEDGER_ARENAS, "small_allocated") +
	       metric_sum(view, LEDGER_ARENAS, "large_allocated");
}

static void check_total(struct outcome *outcome, double got,
			const struct bounds *b)
{
	check(outcome,
	      got >= b->low && got <= b->high + OTHERS_BYTES +
					       CACHE_BYTES * TRUTH_THREADS,
	      "allocated is %.0f, in use were %.0f to %.0f", got, b->low,
	      b->high);
}

static void check_estimate(struct outcome *outcome, struct value got,
			   double low, double high, const char *what)
{
	double slack = ERRORS_MOST * standard_error(got);

	check(outcome,
	      got.total >= low - slack &&
		      got.total <= high + slack + OTHERS_BYTES,
	      "%s is %.0f +- %.0f, in truth %.0f to %.0f", what, got.total,
	      standard_error(got), low, high);
}

static void check_profile(struct outcome *outcome,
			  const struct ledger_view *view,
			  const struct bounds *b)
{
	struct profile *profile = profile_new();

	read_maps(profile, target.maps, NULL, 0);
	profile_from_ledger(profile, view);
	check(outcome, profile_is_valid(profile), "it is not sound");
	check_estimate(outcome, profile_total(profile, INUSE_SPACE), b->low,
		       b->high, "in use");
	if (profile->has_alloc)
		check_estimate(outcome, profile_total(profile, ALLOC_SPACE),
			       b->allocated, b->allocating * 1.02,
			       "allocated since the start");
	profile_free(profile);
}

static void read_once(struct reading *now, const struct reading *before)
{
	if (!take(now))
		return;
	check_figures(&now->view);
	check_total(&totals, allocated_of(&now->view), &now->bounds);
	check_profile(&profiles, &now->view, &now->bounds);
	if (before && before->view.count[LEDGER_METRICS])
		compare_counters(&before->view, &now->view, 0);
}

/*
 * From the snapshot, which may lag behind. Row 0 of its threads is the sum over
 * those that found no room, and falls when they end.
 */
static void read_exported(void)
{
	static struct reading two[2];
	static unsigned count;
	struct reading *now = &two[count % 2], *before = &two[(count + 1) % 2];
	struct diag diag = {0};
	struct target t;
	bool good = target_open(&t, subject, &diag) && target_find_snapshot(&t);

	arena_free(&now->arena);
	good = good && target_read_ledger(&t, LEDGER_WANT_STATS, &now->arena,
					  &now->view, &diag);
	target_close(&t);
	if (!check(&exported, good, "%s", diag.text))
		return;
	check(&exported, allocated_of(&now->view) > 0, "nothing is allocated");
	check_gauges(&now->view);
	check_classes(&now->view);
	if (count++)
		compare_counters(&before->view, &now->view, 1);
}

static void wait_for_stop(void)
{
	int status;

	if (waitpid(subject, &status, WUNTRACED) != subject ||
	    !WIFSTOPPED(status)) {
		tap_line("# the subject ended: status %d\n", status);
		exit(1);
	}
}

static bool same_rows(const struct ledger_view *a, const struct ledger_view *b)
{
	for (unsigned i = 0; i < LEDGER_SECTIONS; i++)
		if (a->count[i] != b->count[i] ||
		    (a->count[i] && memcmp(a->rows[i], b->rows[i],
					   a->count[i] * a->stride[i]) != 0))
			return false;
	return true;
}

/* Nothing moves: the books' bounds are those of the calls under way. */
static void read_stopped(void)
{
	struct reading first = {0}, second = {0};

	kill(subject, SIGSTOP);
	wait_for_stop();
	if (take(&first) && take(&second)) {
		check(&stopped, same_rows(&first.view, &second.view),
		      "two readings differ");
		read_exported();
		check_figures(&first.view);
		check_total(&stopped, allocated_of(&first.view), &first.bounds);
		check_profile(&stopped, &first.view, &first.bounds);
	}
	kill(subject, SIGCONT);
	arena_free(&first.arena);
	arena_free(&second.arena);
}

static bool lives(pid_t pid)
{
	char path[64], state = 'Z', buffer[256];
	char *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	buffer[n] = '\0';
	end = strrchr(buffer, ')');
	if (end)
		state = end[2];
	return state != 'Z' && state != 'X';
}

/* It was said that it has ended; it is on the way to its end, at least. */
static bool has_ended(pid_t pid, const char *said)
{
	if (!strstr(said, "is gone") && !strstr(said, "has ended") &&
	    !strstr(said, "just ending"))
		return false;
	while (lives(pid))
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	return true;
}

/* They end soon, often while they are read: then that is said. */
static void read_child(void)
{
	pid_t child = (pid_t)truth_get(&truth->child);
	struct ledger_view view;
	struct arena arena = {0};
	struct diag diag = {0};
	struct target t;
	bool good;

	if (!child || !target_open(&t, child, &diag))
		return;
	good = target_read_ledger(&t, WANT, &arena, &view, &diag);
	check(&children, good || has_ended(child, diag.text), "%s", diag.text);
	if (good)
		check_gauges(&view);
	target_close(&t);
	arena_free(&arena);
}

/* The path of a file of the build. */
static char *built(struct arena *arena, const char *name)
{
	const char *top = getenv("top_builddir");

	return arena_printf(arena, "%s/%s", top ? top : ".", name);
}

/* The command's output, or NULL where it fails. */
static char *output_of(char *const *arguments)
{
	static char text[1 << 20];
	size_t size = 0;
	ssize_t n = 1;
	int ends[2], status;
	pid_t pid;

	alarm(PATIENCE_SECONDS);
	if (pipe(ends) != 0)
		exit(99);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv(arguments[0], arguments);
		_exit(127);
	}
	close(ends[1]);
	while (n > 0 && size < sizeof(text) - 1) {
		n = read(ends[0], text + size, sizeof(text) - 1 - size);
		size += n > 0 ? (size_t)n : 0;
	}
	close(ends[0]);
	text[size] = '\0';
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return NULL;
	return text;
}

/* The number behind the first "KEY": after the text AFTER. */
static double number_in(const char *text, const char *after, const char *key)
{
	char quoted[64];
	const char *at = strstr(text, after);

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = at ? strstr(at, quoted) : NULL;
	return at ? strtod(at + strlen(quoted), NULL) : NAN;
}

static void run_jestat(struct outcome *outcome, struct arena *arena, char *pid)
{
	char *arguments[] = {built(arena, "jestat/jestat"),
			     (char[]){"--json"},
			     (char[]){"--bins"},
			     (char[]){"--arenas"},
			     pid,
			     NULL};
	struct bounds bounds;
	const char *text;
	double fragmentation;

	bounds_begin(&bounds);
	text = output_of(arguments);
	bounds_end(&bounds);
	if (!check(outcome, text != NULL, "jestat failed"))
		return;
	check_total(outcome, number_in(text, "", "allocated"), &bounds);
	fragmentation = number_in(text, "", "fragmentation");
	check(outcome, fragmentation >= 0 && fragmentation < 1,
	      "fragmentation is %g", fragmentation);
}

static void run_jeprof(struct outcome *outcome, struct arena *arena, char *pid)
{
	char *arguments[] = {built(arena, "jeprof/jeprof"), (char[]){"--json"},
			     (char[]){"--nodecount=5"}, pid, NULL};
	struct bounds bounds;
	const char *text;
	struct value value;

	bounds_begin(&bounds);
	text = output_of(arguments);
	bounds_end(&bounds);
	if (!check(outcome, text != NULL, "jeprof failed"))
		return;
	value.total = number_in(text, "\"total\"", "value");
	value.variance = number_in(text, "\"total\"", "standard_error");
	value.variance *= value.variance;
	check_estimate(outcome, value, bounds.low, bounds.high,
		       "jeprof's total");
}

static void run_commands(struct outcome *outcome)
{
	struct arena arena = {0};
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", subject);
	run_jestat(outcome, &arena, pid);
	run_jeprof(outcome, &arena, pid);
	arena_free(&arena);
}

static void read_deadlocked(void)
{
	struct reading first = {0}, second = {0};
	const struct timespec pause = {0, 10000000};

	truth_add(&truth->lock_up, 1);
	alarm(PATIENCE_SECONDS);
	while (truth_get(&truth->blocked) < TRUTH_THREADS)
		nanosleep(&pause, NULL);
	/* They are about to block; they have, when nothing moves. */
	while (take(&first) && take(&second) &&
	       !same_rows(&first.view, &second.view)) {
		arena_free(&first.arena);
		arena_free(&second.arena);
	}
	check(&deadlocked, first.bounds.low == first.bounds.high,
	      "the books do not agree");
	check_figures(&first.view);
	check_total(&deadlocked, allocated_of(&first.view), &first.bounds);
	check_profile(&deadlocked, &first.view, &first.bounds);
	run_commands(&deadlocked);
	arena_free(&first.arena);
	arena_free(&second.arena);
}

static void start_subject(struct arena *arena)
{
	char *path = arena_printf(arena, "%s/jeheap-reading-XXXXXX",
				  getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	char *arguments[] = {built(arena, "tests/stress/reading/busy"), path,
			     built(arena, "tests/stress/reading/.libs/"
					  "loaded.so"),
			     NULL};
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, sizeof(*truth)) != 0)
		exit(99);
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (truth == MAP_FAILED)
		exit(99);
	close(fd);
	subject = fork();
	if (subject == 0) {
		setenv("LD_PRELOAD", built(arena, "liballoc/.libs/liballoc.so"),
		       1);
		setenv("MALLOC_CONF", "lg_prof_sample:14,prof_accum:true", 1);
		execv(arguments[0], arguments);
		_exit(127);
	}
	while (!truth_get(&truth->ready) &&
	       waitpid(subject, NULL, WNOHANG) == 0)
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	unlink(path);
}

static void report(const struct outcome *outcome)
{
	ok(outcome->checks > 0 && outcome->failures == 0,
	   "%s: %u checks, %u failed", outcome->what, outcome->checks,
	   outcome->failures);
}

static unsigned number_from(const char *variable, unsigned otherwise)
{
	const char *text = getenv(variable);
	int number = text ? atoi(text) : 0;

	return number > 0 ? (unsigned)number : otherwise;
}

static void read_many(void)
{
	struct reading two[2] = {{.bounds = {0}}, {.bounds = {0}}};
	unsigned seconds = number_from("READING_SECONDS", 0);
	unsigned wanted = number_from("READINGS", 150);
	time_t end = time(NULL) + seconds;

	for (unsigned i = 0; seconds ? time(NULL) < end : i < wanted; i++) {
		struct reading *now = &two[i % 2];

		arena_free(&now->arena);
		now->view.count[LEDGER_METRICS] = 0;
		read_once(now, i ? &two[(i + 1) % 2] : NULL);
		if (i % 3 == 0)
			read_child();
		if (i % 2)
			read_exported();
		if (i % 10 == 5)
			read_stopped();
		if (i % 25 == 10)
			run_commands(&commands);
	}
	arena_free(&two[0].arena);
	arena_free(&two[1].arena);
}

int main(void)
{
	struct arena arena = {0};
	struct diag diag = {0};

	plan(12);
	start_subject(&arena);
	if (!ok(target_open(&target, subject, &diag) &&
			target_find_ledger(&target, &diag),
		"the subject runs on liballoc"))
		tap_line("# %s\n", diag.text);
	read_many();
	ok(truth_get(&truth->ended) > 0 && truth_get(&truth->forks) > 0 &&
		   truth_get(&truth->loads) > 0,
	   "meanwhile %" PRIu64 " threads ended, %" PRIu64 " forks, %" PRIu64
	   " libraries loaded",
	   truth_get(&truth->ended), truth_get(&truth->forks),
	   truth_get(&truth->loads));
	read_deadlocked();
	report(&readings);
	report(&figures);
	report(&counters);
	report(&profiles);
	report(&totals);
	report(&stopped);
	report(&children);
	report(&commands);
	report(&exported);
	report(&deadlocked);
	kill(subject, SIGKILL);
	waitpid(subject, NULL, 0);
	target_close(&target);
	arena_free(&arena);
	return done_testing();
}
