/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The call graph in Graphviz' language: the bigger a node's text the more it
 * holds itself, the redder the more passes through it; dotted edges stand for
 * frames left out. Lays nothing out.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "libjeheap/profile/estimate.h"
#include "libjeheap/report/amount.h"
#include "libjeheap/report/short_name.h"

#define LABEL_WIDTH 24
#define LABEL_BYTES 160
#define TOOLTIP_BYTES 4000
#define FONT "Helvetica,Arial,sans-serif"

struct drawing {
	const struct profile *profile;
	const struct report_options *options;
	const struct graph *graph;
	double whole; /* what 100 % is, > 0 or 0 */
	double most;  /* the largest |flat| */
	double span;  /* what the full colour stands for */
	struct arena *arena;
	FILE *stream;
};

/* Colours at 0 and at 1, red, green and blue. */
struct ramp {
	int from[3], to[3];
};

static const struct ramp fill_ramp = {{252, 250, 244}, {246, 145, 103}};
static const struct ramp line_ramp = {{176, 168, 150}, {176, 38, 18}};
static const struct ramp shrink_fill = {{252, 250, 244}, {119, 196, 131}};
static const struct ramp shrink_line = {{176, 168, 150}, {18, 120, 50}};

static void put_colour(FILE *stream, const struct ramp *ramp, double share)
{
	int c[3];

	for (int i = 0; i < 3; i++)
		c[i] = ramp->from[i] +
		       (int)lround((ramp->to[i] - ramp->from[i]) * share);
	fprintf(stream, "\"#%02x%02x%02x\"", (unsigned)c[0], (unsigned)c[1],
		(unsigned)c[2]);
}

/*
 * Within a quoted string: no escape sequence and no entity of Graphviz' is
 * left in text from outside. A line break becomes `line_break`.
 */
static void put_escaped(FILE *stream, struct str s, const char *line_break)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '\n')
			fputs(line_break, stream);
		else if (c == '&')
			fputs("&amp;", stream);
		else if (c == '"' || c == '\\')
			fprintf(stream, "\\%c", c);
		else
			fputc(c, stream);
	}
}

/* Masked, at most `most` bytes; what is cut is told by an ellipsis. */
static struct str tame(struct arena *arena, struct str s, size_t most)
{
	struct text text = {.arena = arena};
	size_t len = s.len < most ? s.len : most;

	while (len < s.len && len > 0 && (s.ptr[len] & 0xc0) == 0x80)
		len--;
	text_add(&text, (struct str){s.ptr, len});
	if (text.len)
		mask_text(text.ptr, text.len);
	if (len < s.len)
		text_add(&text, STR("…"));
	return text_str(&text);
}

static double share_of(double part, double whole)
{
	double share = whole > 0 ? fabs(part) / whole : 0;

	return share > 1 ? 1 : share;
}

static const struct ramp *ramp_for(const struct drawing *d, double amount,
				   const struct ramp *grow,
				   const struct ramp *shrink)
{
	return d->options->difference && amount < 0 ? shrink : grow;
}

static char *amount_text(const struct drawing *d, char *buffer, double amount)
{
	return format_amount(buffer, d->options, amount);
}

static char *percent_text(const struct drawing *d, char *buffer, double part)
{
	return format_percent(buffer, part, d->whole);
}

/* A "function file:line" is shortened part by part. */
static struct str label_name(const struct drawing *d, struct str full)
{
	struct str name = tame(d->arena, full, 8 * LABEL_BYTES);
	size_t space = name.len;

	if (d->options->granularity == BY_FILE)
		return name;
	if (d->options->granularity == BY_FUNCTION &&
	    str_find(name, STR("+0x")) == SIZE_MAX && name.ptr[0] != '[')
		return tame(d->arena, short_name(d->arena, name), LABEL_BYTES);
	while (d->options->granularity != BY_FUNCTION && space > 0 &&
	       name.ptr[space - 1] != ' ')
		space--;
	if (space == 0 || space == name.len)
		return tame(d->arena, name, LABEL_BYTES);
	return str_of(arena_printf(
		d->arena, "%.*s\n%.*s",
		STR_ARG(tame(
			d->arena,
			short_name(d->arena, (struct str){name.ptr, space - 1}),
			LABEL_BYTES)),
		STR_ARG(str_basename(
			(struct str){name.ptr + space, name.len - space}))));
}

static void put_node_label(const struct drawing *d,
			   const struct graph_node *node)
{
	char number[NUMBER_BYTES], part[NUMBER_BYTES];
	struct str name =
		wrap_name(d->arena, label_name(d, node->name), LABEL_WIDTH);

	fputs("label=\"", d->stream);
	put_escaped(d->stream, name, "\\n");
	if (round(node->flat.total) != 0)
		fprintf(d->stream, "\\n%s (%s)",
			amount_text(d, number, node->flat.total),
			percent_text(d, part, node->flat.total));
	if (node->cum.total != node->flat.total)
		fprintf(d->stream, "\\n%s %s (%s)",
			round(node->flat.total) != 0 ? "of" : "0 of",
			amount_text(d, number, node->cum.total),
			percent_text(d, part, node->cum.total));
	fputs("\"", d->stream);
}

static void put_node_tooltip(const struct drawing *d,
			     const struct graph_node *node)
{
	char number[NUMBER_BYTES], error[NUMBER_BYTES];

	fputs(" tooltip=\"", d->stream);
	put_escaped(d->stream, tame(d->arena, node->name, TOOLTIP_BYTES),
		    "\\n");
	if (node->file.len) {
		fputs("\\nin ", d->stream);
		put_escaped(d->stream,
			    tame(d->arena, node->file, TOOLTIP_BYTES), "\\n");
	}
	fprintf(d->stream, "\\nflat %s ± %s",
		amount_text(d, number, node->flat.total),
		amount_text(d, error, standard_error(node->flat)));
	fprintf(d->stream, "\\ncum %s ± %s\"",
		amount_text(d, number, node->cum.total),
		amount_text(d, error, standard_error(node->cum)));
}

static void put_node(const struct drawing *d, size_t index)
{
	const struct graph_node *node = &d->graph->nodes[index];
	double size = 9 + 19 * sqrt(share_of(node->flat.total, d->most));
	double share = sqrt(share_of(node->cum.total, d->span));

	fprintf(d->stream, "  n%zu [", index + 1);
	put_node_label(d, node);
	put_node_tooltip(d, node);
	fprintf(d->stream, " fontsize=%.1f fillcolor=", size);
	put_colour(d->stream,
		   ramp_for(d, node->cum.total, &fill_ramp, &shrink_fill),
		   share);
	fputs(" color=", d->stream);
	put_colour(d->stream,
		   ramp_for(d, node->cum.total, &line_ramp, &shrink_line),
		   share);
	fputs("];\n", d->stream);
}

static void put_edge_tooltip(const struct drawing *d,
			     const struct graph_edge *edge, const char *name)
{
	const struct graph_node *nodes = d->graph->nodes;
	char number[NUMBER_BYTES], error[NUMBER_BYTES];

	fprintf(d->stream, " %s=\"", name);
	put_escaped(d->stream,
		    tame(d->arena, nodes[edge->caller].name, TOOLTIP_BYTES / 2),
		    " ");
	fputs(" → ", d->stream);
	put_escaped(d->stream,
		    tame(d->arena, nodes[edge->callee].name, TOOLTIP_BYTES / 2),
		    " ");
	fprintf(d->stream, "\\n%s ± %s%s%s\"",
		amount_text(d, number, edge->weight.total),
		amount_text(d, error, standard_error(edge->weight)),
		edge->residual ? "\\nthrough frames left out" : "",
		edge->inlined ? "\\ninlined" : "");
}

static void put_edge(const struct drawing *d, const struct graph_edge *edge)
{
	double share = share_of(edge->weight.total, d->span);
	char number[NUMBER_BYTES];

	fprintf(d->stream, "  n%u -> n%u [label=\" %s%s\"", edge->caller + 1,
		edge->callee + 1, amount_text(d, number, edge->weight.total),
		edge->inlined ? "\\n (inline)" : "");
	put_edge_tooltip(d, edge, "tooltip");
	put_edge_tooltip(d, edge, "labeltooltip");
	fprintf(d->stream, " weight=%d penwidth=%.2f arrowsize=%.2f color=",
		1 + (int)(100 * share), 0.7 + 5 * share, 0.6 + 0.5 * share);
	put_colour(d->stream,
		   ramp_for(d, edge->weight.total, &line_ramp, &shrink_line),
		   sqrt(share));
	fputs(edge->residual  ? " style=dotted];\n"
	      : edge->inlined ? " style=dashed];\n"
			      : "];\n",
	      d->stream);
}

static void put_legend_line(const struct drawing *d, const char *text)
{
	put_escaped(d->stream, tame(d->arena, str_of(text), LABEL_BYTES),
		    "\\l");
	fputs("\\l", d->stream);
}

static void put_legend_totals(const struct drawing *d)
{
	const struct report_options *options = d->options;
	struct value total = options->whole && !options->difference
				     ? options->whole[options->type]
				     : d->graph->total;
	char number[NUMBER_BYTES], error[NUMBER_BYTES];

	put_legend_line(
		d, arena_printf(d->arena, "%s: %s ± %s",
				options->difference ? "Difference" : "Total",
				amount_text(d, number, total.total),
				amount_text(d, error, standard_error(total))));
	if (options->difference)
		put_legend_line(d,
				arena_printf(d->arena, "100%% is the base's %s",
					     amount_text(d, number, d->whole)));
	if (!options->selection)
		return;
	put_legend_line(d, options->selection);
	put_legend_line(
		d, arena_printf(d->arena, "Selected: %s (%s)",
				amount_text(d, number, d->graph->total.total),
				percent_text(d, error, d->graph->total.total)));
}

static void put_legend(const struct drawing *d)
{
	const struct graph *graph = d->graph;
	char number[NUMBER_BYTES];
	struct str period = describe_period(d->profile, d->arena);

	fputs("  legend [shape=note style=filled fillcolor=\"#ffffff\" "
	      "color=\"#b0a896\" fontsize=13 tooltip=\"legend\" label=\"",
	      d->stream);
	put_legend_line(d, report_title(d->profile, d->options, d->arena));
	put_legend_line(d, arena_printf(d->arena, "%s, %.*s",
					sample_type_names[d->options->type],
					STR_ARG(period)));
	put_legend_totals(d);
	put_legend_line(d,
			arena_printf(d->arena, "%zu of %zu nodes shown",
				     graph->node_count,
				     graph->node_count + graph->dropped_nodes));
	if (graph->dropped_nodes)
		put_legend_line(
			d,
			arena_printf(d->arena, "nodes up to %s left out",
				     amount_text(d, number,
						 graph->dropped_node_limit)));
	if (graph->dropped_edges)
		put_legend_line(d, arena_printf(d->arena, "%zu edges left out",
						graph->dropped_edges));
	if (d->options->difference)
		put_legend_line(d, "red grew, green shrank");
	fputs("\"];\n", d->stream);
}

static void measure(struct drawing *d)
{
	const struct graph *graph = d->graph;

	d->span = d->options->difference ? 0 : d->whole;
	for (size_t i = 0; i < graph->node_count; i++) {
		d->most = fmax(d->most, fabs(graph->nodes[i].flat.total));
		if (d->options->difference)
			d->span =
				fmax(d->span, fabs(graph->nodes[i].cum.total));
	}
}

bool report_dot(const struct profile *profile,
		const struct report_options *options, FILE *stream,
		struct diag *diag)
{
	struct arena arena = {NULL, NULL, NULL};
	struct drawing d = {.profile = profile,
			    .options = options,
			    .whole = fabs(report_whole(profile, options)),
			    .arena = &arena,
			    .stream = stream};

	(void)diag;
	d.graph = graph_new(profile, options, true, &arena);
	measure(&d);
	fputs("digraph \"", stream);
	put_escaped(stream, str_of(report_title(profile, options, &arena)),
		    " ");
	fputs("\" {\n  graph [fontname=\"" FONT "\" nodesep=0.25 ranksep=0.45 "
	      "bgcolor=\"#ffffff\" tooltip=\" \"];\n"
	      "  node [shape=box style=\"filled,rounded\" fontname=\"" FONT
	      "\" fontcolor=\"#1c1a17\" margin=\"0.12,0.06\" height=0.2];\n"
	      "  edge [fontname=\"" FONT
	      "\" fontsize=10 fontcolor=\"#4a463f\"];\n",
	      stream);
	put_legend(&d);
	for (size_t i = 0; i < d.graph->node_count; i++)
		put_node(&d, i);
	for (size_t i = 0; i < d.graph->edge_count; i++)
		put_edge(&d, &d.graph->edges[i]);
	fputs("}\n", stream);
	arena_free(&arena);
	return true;
}
