/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * payments: a service of the kind that jeheap is for, to try the commands on.
 * It makes up its payments itself: it reads nothing, listens to nothing, and
 * ends by itself.
 */
#include "gateway.h"
#include "subsystem.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	MAX_THREADS = 1024,
	CACHE_BYTES = 24 << 20,
	SESSION_LIFETIME = 60000, /* payments */
};

struct options {
	uint64_t seconds;
	uint64_t payments;
	uint64_t threads;
	uint64_t rate;
	uint64_t seed;
	uint64_t leak;
	bool quiet;
};

static const char usage_text[] =
	"Usage: payments [OPTION...]\n"
	"Takes made-up payments, and ends by itself.\n"
	"\n"
	"  --seconds=N    run for N seconds (10)\n"
	"  --payments=N   take N payments instead, as fast as it goes\n"
	"  --threads=N    gateways that take them (2)\n"
	"  --rate=N       payments a second, 0: as fast as it goes (20000)\n"
	"  --seed=N       other payments for another seed (1)\n"
	"  --leak=BYTES   leak so many bytes a second; K, M and G count (0)\n"
	"  --quiet        print the last line only\n"
	"  --help         print this\n";

static const struct option long_options[] = {
	{"seconds", required_argument, NULL, 's'},
	{"payments", required_argument, NULL, 'p'},
	{"threads", required_argument, NULL, 't'},
	{"rate", required_argument, NULL, 'r'},
	{"seed", required_argument, NULL, 'x'},
	{"leak", required_argument, NULL, 'l'},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "payments: %s: %s\n", what, why);
	exit(2);
}

/* A number with an optional K, M or G (powers of 1024), within [min, max]. */
static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	unsigned shift = 0;
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (end == text || *text == '-' || errno)
		die(text, "not a number");
	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		end++;
	}
	if (*end || value > (max >> shift) || (value << shift) < min)
		die(text, "not a number within its limits; see --help");
	return value << shift;
}

static void parse_options(int argc, char **argv, struct options *options)
{
	const uint64_t most = UINT64_C(1) << 40;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			options->seconds = number(optarg, 1, 86400);
			break;
		case 'p':
			options->payments = number(optarg, 1, most);
			break;
		case 't':
			options->threads = number(optarg, 1, MAX_THREADS);
			break;
		case 'r':
			options->rate = number(optarg, 0, 1000000);
			break;
		case 'x':
			options->seed = number(optarg, 0, UINT64_MAX);
			break;
		case 'l':
			options->leak = number(optarg, 0, most);
			break;
		case 'q':
			options->quiet = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind < argc)
		die(argv[optind], "not an option; see --help");
}

static void service_open(struct service *service, const struct options *options)
{
	service->sessions = session_table_new(SESSION_LIFETIME);
	service->cache = cache_new(CACHE_BYTES);
	service->reports = report_archive_new();
	service->declines = declines_new(options->leak);
	service->journal = journal_open();
	if (!service->journal)
		die("cannot start the journal's thread", strerror(errno));
}

/* Frees all, the leak too: the process ends with nothing in use. */
static struct journal_totals service_close(struct service *service)
{
	struct journal_totals totals = journal_close(service->journal);

	declines_free(service->declines);
	report_archive_free(service->reports);
	cache_free(service->cache);
	session_table_free(service->sessions);
	return totals;
}

static struct gateway *start_gateways(struct service *service,
				      const struct options *options)
{
	struct gateway *gateways =
		allocate(options->threads * sizeof(struct gateway));

	memset(gateways, 0, options->threads * sizeof(struct gateway));
	for (unsigned i = 0; i < options->threads; i++) {
		struct gateway *gateway = &gateways[i];
		int error;

		gateway->service = service;
		gateway->index = i;
		gateway->seed = options->seed * MAX_THREADS;
		gateway->payments = options->payments / options->threads;
		if (i < options->payments % options->threads)
			gateway->payments++;
		if (!options->payments)
			gateway->rate = (options->rate + options->threads - 1) /
					options->threads;
		error = gateway_start(gateway);
		if (error)
			die("cannot start a gateway's thread", strerror(error));
	}
	return gateways;
}

/* Lets the gateways work for a while, printing a line each second. */
static void watch(struct service *service, const struct options *options)
{
	uint64_t before = 0;

	for (uint64_t second = 1; second <= options->seconds; second++) {
		const struct timespec one_second = {1, 0};
		uint64_t taken;

		nanosleep(&one_second, NULL);
		taken = atomic_load(&service->taken);
		if (!options->quiet) {
			printf("%4" PRIu64 " s  %7" PRIu64
			       " payments/s  %6zu sessions  %4zu MiB cached\n",
			       second, taken - before,
			       session_count(service->sessions),
			       cache_bytes(service->cache) >> 20);
			fflush(stdout);
		}
		before = taken;
	}
	atomic_store(&service->stop, true);
}

static void print_totals(const struct gateway *gateways, uint64_t count,
			 const struct journal_totals *journal)
{
	uint64_t approved = 0, declined = 0, cents = 0;

	for (unsigned i = 0; i < count; i++) {
		approved += gateways[i].approved;
		declined += gateways[i].declined;
		cents += gateways[i].approved_cents;
	}
	if (journal->entries != approved || journal->amount_cents != cents)
		die("the journal", "does not agree with the gateways");
	printf("%" PRIu64 " payments approved, %" PRIu64 " declined, %" PRIu64
	       ".%02" PRIu64 " EUR\n",
	       approved, declined, cents / 100, cents % 100);
}

int main(int argc, char **argv)
{
	struct options options = {
		.seconds = 10, .threads = 2, .rate = 20000, .seed = 1};
	struct service service = {0};
	struct journal_totals totals;
	struct gateway *gateways;

	parse_options(argc, argv, &options);
	if (options.payments && options.payments < options.threads)
		options.threads = options.payments;
	service_open(&service, &options);
	gateways = start_gateways(&service, &options);
	if (!options.payments)
		watch(&service, &options);
	for (unsigned i = 0; i < options.threads; i++)
		gateway_join(&gateways[i]);
	totals = service_close(&service);
	print_totals(gateways, options.threads, &totals);
	free(gateways);
	if (fflush(stdout) || ferror(stdout))
		die("standard output", strerror(errno));
	return 0;
}
