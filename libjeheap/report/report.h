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
	/*
	 * What 100 % is, by sample type (SAMPLE_TYPES of them): the total
	 * before anything was filtered out, or, for a difference, the base's
	 * total. NULL: the profile's own total.
	 */
	const struct value *whole;
	const char *selection; /* "focus=RE ignore=RE", or NULL: nothing was
				  filtered out */
	double picture_scale;  /* of pictures; 0: natural size */
	const struct symbol_stats *stats; /* for the footer, or NULL */
};

/* A node of the call graph: what stands on one line of a table. */
struct graph_node {
	struct str name;     /* function, file, file:line or address */
	struct str file;     /* object file's base name; empty: unknown, or the
				name stands in several files */
	struct value flat;   /* as leaf */
	struct value cum;    /* anywhere on the stack, once a sample */
	double flat_samples; /* sampled objects behind flat */
	double cum_samples;
};

struct graph_edge {
	uint32_t caller, callee; /* in graph.nodes */
	struct value weight;
	bool residual; /* frames between were trimmed, at least once */
	bool inlined;  /* the callee was always inlined into the caller */
};

struct graph {
	struct arena *arena;
	struct graph_node *nodes; /* by |flat| (or |cum|), descending; then by
				     name */
	size_t node_count;
	struct graph_edge *edges; /* by weight, descending */
	size_t edge_count;
	struct value total; /* of the profile as given */
	size_t dropped_nodes, dropped_edges;
	double dropped_node_limit, dropped_edge_limit; /* bytes or count */
};

/*
 * Aggregates by the options' granularity. A name that recurs on a stack counts
 * once in cum, an edge too; an edge from a node to itself is left out.
 *
 * With trim, keeps the node_count nodes of the largest |cum| above
 * node_fraction of the whole, and edges above edge_fraction, at most
 * max_degree into and out of a node, and always the heaviest into each.
 */
struct graph *graph_new(const struct profile *profile,
			const struct report_options *options, bool trim,
			struct arena *arena);

/*
 * The name of a location's line at a granularity: "function", "file",
 * "function file:line", "0xADDRESS function file:line". Where the line is past
 * the end, thus unknown: "library+0xOFFSET" ("library" by file), and
 * "[unknown] 0xADDRESS" where no mapping is known ("[unknown]" by file).
 */
struct str frame_name(const struct profile *profile, uint32_t location,
		      uint32_t line, enum granularity granularity,
		      struct arena *arena);

/*
 * What the profiler says that it lost, in a sentence without its full stop:
 * samples "which are not <where>". Empty where it lost none.
 */
struct str report_losses(const struct profile *profile, const char *where,
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
/* How long what was freed had lived, and by which threads it was freed. */
bool report_lifetimes(const struct profile *profile,
		      const struct report_options *options, FILE *stream,
		      struct diag *diag);
bool report_json(const struct profile *profile,
		 const struct report_options *options, FILE *stream,
		 struct diag *diag);

#endif
