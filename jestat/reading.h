/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process at one moment, and the figures that follow from it and from an
 * earlier moment. All metrics come from the ledger's own descriptions; one
 * that this process does not have is NAN, never a guess.
 */
#ifndef JESTAT_READING_H
#define JESTAT_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "libjeheap/target/target.h"

struct reading {
	struct arena arena; /* owns the view */
	struct ledger_view view;
	int pid; /* as this user sees it */
	struct process_info info;
	uint64_t time_ns;      /* CLOCK_REALTIME */
	uint64_t monotonic_ns; /* CLOCK_MONOTONIC */
};

/* Sizes in bytes. */
struct figures {
	double allocated; /* handed out, thread caches included */
	double active;	  /* pages with anything in use */
	double resident;  /* active + dirty + metadata: an upper bound */
	double rss;	  /* of the whole process, as the kernel counts */
	double swap;
	double dirty;
	double metadata;
	double fragmentation; /* (active - allocated) / active */
	double mallocs_per_second;
	double bytes_per_second;
	double threads;
	double elapsed_seconds; /* that the rates are over */
};

/* Empties the reading and takes it anew. */
bool reading_take(struct reading *reading, struct target *target,
		  struct diag *diag);
void reading_free(struct reading *reading);

/* Rates since `before`; since the process started where that is NULL. */
struct figures reading_figures(const struct reading *now,
			       const struct reading *before);

/* (active - allocated) / active, from 0 to 1; NAN where one is NAN. */
double fragmentation(double active, double allocated);
/* The sum of a metric over all rows of a section; NAN: there is none. */
double reading_sum(const struct reading *reading, unsigned section,
		   const char *name);
/* A metric of one row; NAN: there is none. */
double reading_value(const struct reading *reading, unsigned section,
		     const char *name, uint64_t row);
/* The row of LEDGER_ARENA_CLASSES. */
uint64_t reading_class_row(const struct reading *reading, uint64_t arena,
			   uint64_t size_class);
/* A class's metric over all arenas; NAN: there is none. */
double reading_class_sum(const struct reading *reading, const char *name,
			 uint64_t size_class);
/* Before a name: the same of threads that had a row earlier. */
#define READING_PAST "past_"
/*
 * What all threads that ever were have counted, of a metric of LEDGER_THREADS;
 * of those of now alone, where the ledger does not tell of earlier ones.
 */
uint64_t reading_thread_total(const struct reading *reading, const char *name);
/* Seconds from `before` to `now`, or since the process started. */
double reading_elapsed(const struct reading *now, const struct reading *before);

#endif
