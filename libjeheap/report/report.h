/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports of a profile. Each writes to a stream that the caller opened and
 * closes; none opens files or reads formats. A report of a difference has
 * negative values and says so in its title and colours.
 */
#ifndef LIBJEHEAP_REPORT_REPORT_H
#define LIBJEHEAP_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "libjeheap/base/diag.h"
#include "libjeheap/profile/profile.h"
#include "libjeheap/symbol/symbol.h"

enum granularity { BY_FUNCTION, BY_FILE, BY_LINE, BY_ADDRESS };

struct report_options {
	enum sample_type type;
	enum granularity granularity;
	bool cumulative;     /* sort by cum */
	bool show_bytes;     /* plain bytes rather than IEC units */
	unsigned node_count; /* 0: all */
	double node_fraction, edge_fraction;
	unsigned max_degree;
	bool difference;   /* the profile is new - old */
	const char *title; /* of the profile, or NULL: its source */
	const struct symbol_stats *stats; /* for the footer, or NULL */
};

/* A node of the call graph: what stands on one line of a table. */
struct graph_node {
	struct str name;     /* function, file, file:line or address */
	struct str file;     /* object file's base name; empty: unknown */
	struct value flat;   /* as leaf */
	struct value cum;    /* anywhere on the stack, once a sample */
	double flat_samples; /* sampled objects behind flat */
	double cum_samples;
};

struct graph_edge {
	uint32_t caller, callee; /* in graph.nodes */
	struct value weight;
	bool residual; /* frames between were trimmed */
	bool inlined;
};

struct graph {
	struct arena *arena;
	struct graph_node *nodes; /* by flat (or cum), descending; then name */
	size_t node_count;
	struct graph_edge *edges; /* by weight, descending */
	size_t edge_count;
	struct value total; /* of the profile as given */
	size_t dropped_nodes, dropped_edges;
	double dropped_node_limit, dropped_edge_limit; /* bytes or count */
};

/* Aggregates by the options' granularity, and trims (graphs only). */
struct graph *graph_new(const struct profile *profile,
			const struct report_options *options, bool trim,
			struct arena *arena);

/* The name of a location's line `i` at a granularity (i past the end: the
 * library+offset form). */
struct str frame_name(const struct profile *profile, uint32_t location,
		      uint32_t line, enum granularity granularity,
		      struct arena *arena);

bool report_text(const struct profile *profile,
		 const struct report_options *options, FILE *stream,
		 struct diag *diag);
bool report_dot(const struct profile *profile,
		const struct report_options *options, FILE *stream,
		struct diag *diag);
/* format: "svg", "png", "pdf" or "ps", laid out by libgvc in process. */
bool report_graphviz(const struct profile *profile,
		     const struct report_options *options, const char *format,
		     FILE *stream, struct diag *diag);
/* "root;...;leaf value" a line, for flamegraph.pl, inferno, speedscope. */
bool report_collapsed(const struct profile *profile,
		      const struct report_options *options, FILE *stream,
		      struct diag *diag);
/* One self-contained HTML file. */
bool report_flame(const struct profile *profile,
		  const struct report_options *options, FILE *stream,
		  struct diag *diag);
bool report_callgrind(const struct profile *profile,
		      const struct report_options *options, FILE *stream,
		      struct diag *diag);
bool report_json(const struct profile *profile,
		 const struct report_options *options, FILE *stream,
		 struct diag *diag);

#endif
