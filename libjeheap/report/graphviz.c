/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pictures of the call graph, laid out and rendered by libgvc in this process.
 * The only user of Graphviz; what it draws is report_dot's.
 */
#include "config.h"

#include <errno.h>
#include <graphviz/gvc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libjeheap/report/report.h"

/* Above this many edges a layout of best quality takes minutes. */
#define MANY_EDGES 500

static const char pan_and_zoom[] = {
#include "libjeheap/report/pan_zoom.inc"
};

/* Graphviz reports errors through a function without an argument of ours. */
static char last_error[256];

static int keep_error(char *text)
{
	size_t used = strlen(last_error);

	if (used + 1 < sizeof(last_error))
		snprintf(last_error + used, sizeof(last_error) - used, "%s",
			 text);
	return 0;
}

static bool failed(struct diag *diag, const char *what)
{
	size_t len = strcspn(last_error, "\n");

	return diag_set(diag, "cannot draw the call graph: %s%s%.*s", what,
			len ? ": " : "", (int)len, last_error);
}

/* Graphviz' functions take text that they might change. */
static void set_attribute(Agraph_t *graph, const char *name, const char *value)
{
	char name_copy[32], value_copy[128], none[] = "";

	snprintf(name_copy, sizeof(name_copy), "%s", name);
	snprintf(value_copy, sizeof(value_copy), "%s", value);
	agsafeset(graph, name_copy, value_copy, none);
}

/* Each step of the option enlarges by the square root of 2. */
static void scale_picture(Agraph_t *graph, double steps)
{
	double zoom = pow(2, steps / 2);
	boxf box = GD_bb(graph);
	char viewport[128];

	if (steps == 0)
		return;
	snprintf(viewport, sizeof(viewport), "%.2f,%.2f,%.6f",
		 (box.UR.x - box.LL.x) * zoom, (box.UR.y - box.LL.y) * zoom,
		 zoom);
	set_attribute(graph, "viewport", viewport);
}

static bool write_svg(const char *data, size_t size, FILE *stream)
{
	static const char end[] = "</svg>";
	size_t head = size;

	while (head >= sizeof(end) - 1 &&
	       memcmp(data + head - (sizeof(end) - 1), end, sizeof(end) - 1) !=
		       0)
		head--;
	head -= sizeof(end) - 1;
	fwrite(data, 1, head, stream);
	fputs("<script type=\"text/javascript\"><![CDATA[\n", stream);
	fwrite(pan_and_zoom, 1, sizeof(pan_and_zoom), stream);
	fputs("]]></script>\n</svg>\n", stream);
	return true;
}

static bool render(GVC_t *gvc, Agraph_t *graph,
		   const struct report_options *options, const char *format,
		   FILE *stream, struct diag *diag)
{
	char *data = NULL;
	unsigned size = 0;

	if (agnedges(graph) > MANY_EDGES) {
		set_attribute(graph, "nslimit", "0.1");
		set_attribute(graph, "nslimit1", "0.1");
		set_attribute(graph, "mclimit", "0.01");
		set_attribute(graph, "splines", "line");
	}
	if (gvLayout(gvc, graph, "dot") != 0)
		return failed(diag, "the layout failed");
	scale_picture(graph, options->picture_scale);
	if (gvRenderData(gvc, graph, format, &data, &size) != 0 || !data)
		return failed(diag, "this Graphviz cannot write the format");
	if (!strcmp(format, "svg"))
		write_svg(data, size, stream);
	else
		fwrite(data, 1, size, stream);
	gvFreeRenderData(data);
	gvFreeLayout(gvc, graph);
	return true;
}

static char *dot_text(const struct profile *profile,
		      const struct report_options *options, struct diag *diag)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	bool good;

	if (!stream)
		out_of_memory();
	good = report_dot(profile, options, stream, diag);
	if (fclose(stream) != 0)
		out_of_memory();
	if (good)
		return text;
	free(text);
	return NULL;
}

bool report_graphviz(const struct profile *profile,
		     const struct report_options *options, const char *format,
		     FILE *stream, struct diag *diag)
{
	char *text = dot_text(profile, options, diag);
	Agraph_t *graph;
	GVC_t *gvc;
	bool good;

	if (!text)
		return false;
	last_error[0] = '\0';
	agseterrf(keep_error);
	agseterr(AGERR);
	gvc = gvContext();
	graph = gvc ? agmemread(text) : NULL;
	good = graph ? render(gvc, graph, options, format, stream, diag)
		     : failed(diag, "Graphviz refused it");
	if (graph)
		agclose(graph);
	if (gvc)
		gvFreeContext(gvc);
	free(text);
	return good;
}
