/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums, recursion, inlining, order and trimming of the call graph. */
#include "config.h"

#include <stdio.h>

#include "libjeheap/report/report.h"
#include "tap/tap.h"
#include "unit/report/sketch.h"

static struct arena arena;

static struct report_options defaults(void)
{
	return (struct report_options){.type = INUSE_SPACE, .max_degree = 8};
}

static const struct graph_node *node(const struct graph *graph,
				     const char *name)
{
	for (size_t i = 0; i < graph->node_count; i++)
		if (str_equal(graph->nodes[i].name, str_of(name)))
			return &graph->nodes[i];
	return NULL;
}

static const struct graph_edge *edge(const struct graph *graph,
				     const char *caller, const char *callee)
{
	for (size_t i = 0; i < graph->edge_count; i++)
		if (&graph->nodes[graph->edges[i].caller] ==
			    node(graph, caller) &&
		    &graph->nodes[graph->edges[i].callee] ==
			    node(graph, callee))
			return &graph->edges[i];
	return NULL;
}

static void test_sums(void)
{
	struct profile *profile = sketch_new();
	struct report_options options = defaults();
	struct graph *graph;

	sketch_add(profile, "MAB", 100, 9);
	sketch_add(profile, "MAC", 10, 16);
	sketch_add(profile, "MB", 1, 0);
	graph = graph_new(profile, &options, false, &arena);
	is_near(graph->total.total, 111, 0, "the total is the sum");
	is_near(graph->total.variance, 25, 0, "and its variance");
	is_uint(graph->node_count, 4, "four functions");
	is_near(node(graph, "B")->flat.total, 101, 0, "flat of both stacks");
	is_near(node(graph, "A")->flat.total, 0, 0, "no flat for a caller");
	is_near(node(graph, "A")->cum.total, 110, 0, "cum of a caller");
	is_near(node(graph, "A")->cum.variance, 25, 0, "and its variance");
	is_near(node(graph, "A")->cum_samples, 2, 0, "and its samples");
	is_near(edge(graph, "M", "A")->weight.total, 110, 0,
		"an edge of two stacks");
	is_near(edge(graph, "M", "B")->weight.total, 1, 0,
		"an edge of another");
	ok(!edge(graph, "A", "M"), "no edge back");
	ok(str_equal(graph->nodes[0].name, STR("B")), "the largest flat first");
	options.cumulative = true;
	graph = graph_new(profile, &options, false, &arena);
	ok(str_equal(graph->nodes[0].name, STR("M")),
	   "the largest cum first, by option");
	profile_free(profile);
}

static void test_recursion(void)
{
	struct profile *profile = sketch_new();
	struct report_options options = defaults();
	struct graph *graph;

	sketch_add(profile, "MRRRB", 7, 0);
	sketch_add(profile, "MABABAB", 5, 0);
	graph = graph_new(profile, &options, false, &arena);
	is_near(node(graph, "R")->cum.total, 7, 0,
		"a function that calls itself counts once");
	is_near(node(graph, "A")->cum.total, 5, 0, "so does mutual recursion");
	is_near(edge(graph, "A", "B")->weight.total, 5, 0,
		"an edge crossed thrice counts once");
	ok(!edge(graph, "R", "R"), "no edge to itself");
	is_near(node(graph, "B")->flat.total, 12, 0, "the leaf is flat");
	profile_free(profile);
}

static void test_inlines(void)
{
	struct profile *profile = sketch_new();
	struct report_options options = defaults();
	struct graph *graph;

	sketch_add(profile, "MAbc", 3, 0);
	sketch_add(profile, "MXb", 2, 0);
	graph = graph_new(profile, &options, false, &arena);
	is_near(node(graph, "c")->flat.total, 3, 0,
		"the innermost inlined function is the leaf");
	is_near(node(graph, "A")->flat.total, 0, 0, "and not its caller");
	ok(edge(graph, "A", "b")->inlined, "the edge says so");
	ok(!edge(graph, "M", "A")->inlined, "a call is none");
	profile_free(profile);
}

static void test_trim_nodes(void)
{
	struct profile *profile = sketch_new();
	struct report_options options = defaults();
	struct graph *graph;

	sketch_add(profile, "MAB", 1000, 0);
	sketch_add(profile, "MC", 10, 0);
	sketch_add(profile, "MQXB", 1, 0);
	options.node_fraction = 0.005;
	graph = graph_new(profile, &options, true, &arena);
	ok(!node(graph, "X"), "a small node goes");
	is_uint(graph->dropped_nodes, 2, "and is counted");
	is_near(graph->dropped_node_limit, 1011 * 0.005, 1e-9,
		"the limit is of the whole");
	ok(edge(graph, "M", "B")->residual, "an edge over the gap is marked");
	ok(!edge(graph, "A", "B")->residual, "others are not");
	is_near(edge(graph, "M", "B")->weight.total, 1, 0,
		"and carries what went through it");
	options.node_fraction = 0;
	options.node_count = 2;
	graph = graph_new(profile, &options, true, &arena);
	is_uint(graph->node_count, 2, "no more nodes than asked for");
	ok(node(graph, "M") && node(graph, "B"), "those of the largest cum");
	graph = graph_new(profile, &options, false, &arena);
	is_uint(graph->node_count, 6, "a table is not trimmed");
	profile_free(profile);
}

static void test_trim_edges(void)
{
	struct profile *profile = sketch_new();
	struct report_options options = defaults();
	struct graph *graph;
	size_t into_leaf = 0;

	for (char c = 'A'; c < 'L'; c++) {
		char word[] = {'M', c, 'Z', '\0'};

		sketch_add(profile, word, 100 + c, 0);
	}
	options.max_degree = 3;
	graph = graph_new(profile, &options, true, &arena);
	for (size_t i = 0; i < graph->edge_count; i++)
		into_leaf += str_equal(
			graph->nodes[graph->edges[i].callee].name, STR("Z"));
	is_uint(into_leaf, 3, "no more edges into a node than asked for");
	ok(edge(graph, "M", "A"), "the heaviest into a node always stays");
	is_uint(graph->dropped_edges, 8, "the others are counted");
	options.max_degree = 0;
	options.edge_fraction = 0.5;
	graph = graph_new(profile, &options, true, &arena);
	is_uint(graph->edge_count, 12, "light edges go, but for reachability");
	profile_free(profile);
}

static void test_difference(void)
{
	struct profile *profile = sketch_new();
	struct report_options options = defaults();
	struct value whole[SAMPLE_TYPES] = {[INUSE_SPACE] = {1000, 0}};
	struct graph *graph;

	sketch_add(profile, "MA", 10, 4);
	sketch_add(profile, "MB", -300, 9);
	options.difference = true;
	options.whole = whole;
	options.node_fraction = 0.02;
	graph = graph_new(profile, &options, true, &arena);
	ok(str_equal(graph->nodes[0].name, STR("B")),
	   "the largest change first, whatever its sign");
	ok(!node(graph, "A"), "small changes go, by the base's total");
	is_near(graph->total.total, -290, 0, "the total has its sign");
	is_near(graph->total.variance, 13, 0, "and both variances");
	profile_free(profile);
}

static void test_nothing(void)
{
	struct profile *profile = sketch_new();
	struct report_options options = defaults();
	struct graph *graph = graph_new(profile, &options, true, &arena);

	is_uint(graph->node_count + graph->edge_count, 0,
		"an empty profile has an empty graph");
	profile_free(profile);
}

int main(void)
{
	plan(40);
	test_sums();
	test_recursion();
	test_inlines();
	test_trim_nodes();
	test_trim_edges();
	test_difference();
	test_nothing();
	arena_free(&arena);
	return done_testing();
}
