/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The call graph of a profile: nodes and edges with their sums, in a fixed
 * order, trimmed to what a page can show. Draws nothing.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "libjeheap/base/str.h"
#include "libjeheap/report/frames.h"
#include "libjeheap/report/report.h"

/* Edges by (caller, callee), both names until the nodes are in order. */
struct edge_table {
	struct intern keys;
	struct graph_edge *edges;
	uint64_t *seen; /* by edge: 1 + the sample that last crossed it */
	size_t count, capacity, seen_capacity;
};

struct builder {
	const struct profile *profile;
	const struct report_options *options;
	struct frames *frames;
	struct graph_node *nodes; /* by name */
	uint64_t *seen;		  /* by name: 1 + the sample that last met it */
	bool *kept;		  /* by name */
	uint32_t *place;	  /* by name: in graph.nodes */
	struct edge_table edges;
};

static void value_add(struct value *sum, struct value v)
{
	sum->total += v.total;
	sum->variance += v.variance;
}

static double samples_behind(const struct sample *sample, enum sample_type type)
{
	return type == ALLOC_OBJECTS || type == ALLOC_SPACE
		       ? sample->alloc_samples
		       : sample->inuse_samples;
}

static bool has_value(const struct sample *sample, enum sample_type type)
{
	return sample->value[type].total != 0 ||
	       sample->value[type].variance != 0;
}

static void add_to_nodes(struct builder *b, size_t index)
{
	const struct sample *sample = &b->profile->samples[index];
	struct value value = sample->value[b->options->type];
	double samples = samples_behind(sample, b->options->type);
	size_t depth = frames_expand(b->frames, sample->stack);

	for (size_t i = 0; i < depth; i++) {
		uint32_t name = b->frames->steps[i].name;
		struct graph_node *node = &b->nodes[name];

		if (i == 0) {
			value_add(&node->flat, value);
			node->flat_samples += samples;
		}
		if (b->seen[name] == index + 1)
			continue;
		b->seen[name] = index + 1;
		value_add(&node->cum, value);
		node->cum_samples += samples;
	}
}

static size_t edge_between(struct edge_table *table, uint32_t caller,
			   uint32_t callee)
{
	const uint32_t key[] = {caller, callee};
	size_t i = intern(&table->keys,
			  (struct str){(const char *)key, sizeof(key)});
	size_t seen_count = table->count;
	struct graph_edge *edge;

	if (i < table->count)
		return i;
	*ARENA_PUSH(table->keys.arena, table->seen, seen_count,
		    table->seen_capacity) = 0;
	edge = ARENA_PUSH(table->keys.arena, table->edges, table->count,
			  table->capacity);
	edge->caller = caller;
	edge->callee = callee;
	edge->inlined = true;
	return i;
}

static void cross_edge(struct builder *b, size_t index, uint32_t caller,
		       uint32_t callee, bool inlined, bool residual)
{
	size_t i = edge_between(&b->edges, caller, callee);
	struct graph_edge *edge = &b->edges.edges[i];

	edge->inlined &= inlined && !residual;
	edge->residual |= residual;
	if (b->edges.seen[i] == index + 1)
		return;
	b->edges.seen[i] = index + 1;
	value_add(&edge->weight,
		  b->profile->samples[index].value[b->options->type]);
}

static void add_to_edges(struct builder *b, size_t index)
{
	const struct frame_step *steps = b->frames->steps;
	size_t depth =
		frames_expand(b->frames, b->profile->samples[index].stack);
	bool residual = false;
	size_t callee = 0;

	while (callee < depth && !b->kept[steps[callee].name])
		callee++;
	for (size_t i = callee + 1; i < depth; i++) {
		if (!b->kept[steps[i].name]) {
			residual = true;
			continue;
		}
		if (steps[i].name != steps[callee].name)
			cross_edge(b, index, steps[i].name, steps[callee].name,
				   steps[callee].inlined, residual);
		callee = i;
		residual = false;
	}
}

static int by_magnitude(double a, double b)
{
	return (fabs(a) < fabs(b)) - (fabs(a) > fabs(b));
}

static int compare_by_cum(const void *left, const void *right)
{
	const struct graph_node *a = *(const struct graph_node *const *)left;
	const struct graph_node *b = *(const struct graph_node *const *)right;
	int order = by_magnitude(a->cum.total, b->cum.total);

	if (!order)
		order = by_magnitude(a->flat.total, b->flat.total);
	return order ? order : str_compare(a->name, b->name);
}

static int compare_by_flat(const void *left, const void *right)
{
	const struct graph_node *a = *(const struct graph_node *const *)left;
	const struct graph_node *b = *(const struct graph_node *const *)right;
	int order = by_magnitude(a->flat.total, b->flat.total);

	return order ? order : compare_by_cum(left, right);
}

static double whole_of(const struct graph *graph,
		       const struct report_options *options)
{
	return fabs(options->whole ? options->whole[options->type].total
				   : graph->total.total);
}

/* The nodes met, most important first; how many of them are kept. */
static size_t choose_nodes(struct builder *b, struct graph *graph,
			   struct graph_node **order, size_t count, bool trim)
{
	size_t kept = count;

	qsort(order, count, sizeof(struct graph_node *), compare_by_cum);
	if (trim)
		graph->dropped_node_limit =
			b->options->node_fraction * whole_of(graph, b->options);
	if (b->options->node_count && kept > b->options->node_count && trim)
		kept = b->options->node_count;
	while (trim && kept > 0 &&
	       fabs(order[kept - 1]->cum.total) <= graph->dropped_node_limit)
		kept--;
	for (size_t i = 0; i < kept; i++)
		b->kept[order[i] - b->nodes] = true;
	graph->dropped_nodes = count - kept;
	return kept;
}

static void place_nodes(struct builder *b, struct graph *graph, bool trim)
{
	size_t count = 0, names = b->frames->names.count;
	struct graph_node **order =
		ARENA_ARRAY(graph->arena, names, struct graph_node *);

	for (size_t i = 0; i < names; i++) {
		b->nodes[i].name = b->frames->names.strings[i];
		b->nodes[i].file = b->frames->files[i];
		if (b->seen[i])
			order[count++] = &b->nodes[i];
	}
	count = choose_nodes(b, graph, order, count, trim);
	if (!b->options->cumulative)
		qsort(order, count, sizeof(struct graph_node *),
		      compare_by_flat);
	graph->nodes = ARENA_ARRAY(graph->arena, count, struct graph_node);
	graph->node_count = count;
	for (size_t i = 0; i < count; i++) {
		graph->nodes[i] = *order[i];
		b->place[order[i] - b->nodes] = (uint32_t)i;
	}
}

static int compare_edges(const void *left, const void *right)
{
	const struct graph_edge *a = left, *b = right;
	int order = by_magnitude(a->weight.total, b->weight.total);

	if (!order)
		order = (a->caller > b->caller) - (a->caller < b->caller);
	return order ? order
		     : (a->callee > b->callee) - (a->callee < b->callee);
}

static void trim_edges(struct graph *graph,
		       const struct report_options *options)
{
	unsigned *in = ARENA_ARRAY(graph->arena, graph->node_count, unsigned);
	unsigned *out = ARENA_ARRAY(graph->arena, graph->node_count, unsigned);
	size_t kept = 0;

	graph->dropped_edge_limit =
		options->edge_fraction * whole_of(graph, options);
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		bool crowded = options->max_degree &&
			       (in[edge->callee] >= options->max_degree ||
				out[edge->caller] >= options->max_degree);

		/* The heaviest into a node keeps it reachable. */
		if (in[edge->callee] > 0 &&
		    (crowded ||
		     fabs(edge->weight.total) <= graph->dropped_edge_limit))
			continue;
		in[edge->callee]++;
		out[edge->caller]++;
		graph->edges[kept++] = *edge;
	}
	graph->dropped_edges = graph->edge_count - kept;
	graph->edge_count = kept;
}

static void place_edges(struct builder *b, struct graph *graph, bool trim)
{
	graph->edges = b->edges.edges;
	graph->edge_count = b->edges.count;
	for (size_t i = 0; i < graph->edge_count; i++) {
		struct graph_edge *edge = &graph->edges[i];

		edge->caller = b->place[edge->caller];
		edge->callee = b->place[edge->callee];
	}
	if (graph->edge_count)
		qsort(graph->edges, graph->edge_count, sizeof(*graph->edges),
		      compare_edges);
	if (trim)
		trim_edges(graph, b->options);
}

struct graph *graph_new(const struct profile *profile,
			const struct report_options *options, bool trim,
			struct arena *arena)
{
	struct graph *graph = ARENA_NEW(arena, struct graph);
	struct builder b = {.profile = profile, .options = options};
	size_t names;

	b.frames = frames_new(profile, options->granularity, arena);
	names = b.frames->names.count;
	b.nodes = ARENA_ARRAY(arena, names, struct graph_node);
	b.seen = ARENA_ARRAY(arena, names, uint64_t);
	b.kept = ARENA_ARRAY(arena, names, bool);
	b.place = ARENA_ARRAY(arena, names, uint32_t);
	b.edges.keys.arena = arena;
	graph->arena = arena;
	graph->total = profile_total(profile, options->type);
	for (size_t i = 0; i < profile->sample_count; i++)
		if (has_value(&profile->samples[i], options->type))
			add_to_nodes(&b, i);
	place_nodes(&b, graph, trim);
	for (size_t i = 0; i < profile->sample_count; i++)
		if (has_value(&profile->samples[i], options->type))
			add_to_edges(&b, i);
	place_edges(&b, graph, trim);
	return graph;
}
