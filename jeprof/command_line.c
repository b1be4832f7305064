/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options by table, what they must not be together, and which argument is
 * the program.
 */
#include "config.h"

#include "jeprof/command_line.h"

#include <elf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libjeheap/base/file.h"
#include "libjeheap/base/number.h"
#include "libjeheap/base/str.h"

/* What Perl jeprof has and this version has not. */
struct later {
	bool gv, evince, web, symbols, gif, interactive, heapcheck;
	const char *list, *disasm, *add_lib, *seconds;
};

static struct command_line given;
static struct later later;

static const struct option_row rows[] = {
	{.kind = OPTION_HEADING, .help = "General:"},
	{OPTION_FLAG, "help", &given.help, 0, NULL, "print this and exit", 'h'},
	{OPTION_FLAG, "version", &given.version, 0, NULL,
	 "print the version and exit", 0},
	{OPTION_STRING, "output", &given.output, 0, "FILE",
	 "write to FILE rather than standard output; without an output type, "
	 "its ending tells the type",
	 'o'},
	{OPTION_FLAG, "cum", &given.cumulative, 0, NULL,
	 "sort by cumulative amount", 0},
	{OPTION_LIST, "base", &given.bases, 0, "PROFILE",
	 "subtract PROFILE (may come several times)", 0},
	{OPTION_STRING, "lib_prefix", &given.lib_prefix, 0, "DIR,...",
	 "look for programs and libraries under these, too", 0},
	{OPTION_FLAG, "inlines", &given.inlines, 0, NULL,
	 "show inlined functions (default; --noinlines: do not)", 0},
	{OPTION_FLAG, "debug-syms-by-id", &given.debug_syms_by_id, 0, NULL,
	 "accepted; debug files are always looked up by build-id", 0},
	{OPTION_STRING, "tools", &given.tools, 0, "PATH",
	 "accepted and ignored; no external tool is run", 0},

	{.kind = OPTION_HEADING, .help = "Granularity:"},
	{OPTION_CHOICE, "functions", &given.granularity, BY_FUNCTION, NULL,
	 "by function (default)", 0},
	{OPTION_CHOICE, "files", &given.granularity, BY_FILE, NULL,
	 "by source file", 0},
	{OPTION_CHOICE, "lines", &given.granularity, BY_LINE, NULL,
	 "by source line", 0},
	{OPTION_CHOICE, "addresses", &given.granularity, BY_ADDRESS, NULL,
	 "by address", 0},

	{.kind = OPTION_HEADING, .help = "Output type:"},
	{OPTION_CHOICE, "text", &given.format, OUTPUT_TEXT, NULL,
	 "table (default)", 0},
	{OPTION_CHOICE, "flame", &given.format, OUTPUT_FLAME, NULL,
	 "flame graph, one HTML file that needs no network", 0},
	{OPTION_CHOICE, "svg", &given.format, OUTPUT_SVG, NULL,
	 "call graph as SVG", 0},
	{OPTION_CHOICE, "png", &given.format, OUTPUT_PNG, NULL,
	 "call graph as PNG", 0},
	{OPTION_CHOICE, "pdf", &given.format, OUTPUT_PDF, NULL,
	 "call graph as PDF", 0},
	{OPTION_CHOICE, "ps", &given.format, OUTPUT_PS, NULL,
	 "call graph as PostScript", 0},
	{OPTION_CHOICE, "dot", &given.format, OUTPUT_DOT, NULL,
	 "call graph in Graphviz' language", 0},
	{OPTION_CHOICE, "collapsed", &given.format, OUTPUT_COLLAPSED, NULL,
	 "one line a stack, for flamegraph.pl and speedscope", 0},
	{OPTION_CHOICE, "callgrind", &given.format, OUTPUT_CALLGRIND, NULL,
	 "for kcachegrind", 0},
	{OPTION_CHOICE, "pprof", &given.format, OUTPUT_PPROF, NULL,
	 "profile.proto (gzip), for Go pprof and its kin", 0},
	{OPTION_CHOICE, "raw", &given.format, OUTPUT_RAW, NULL,
	 "symbolized profile, for any jeprof elsewhere", 0},
	{OPTION_CHOICE, "json", &given.format, OUTPUT_JSON, NULL,
	 "the table, its standard errors and lifetimes as JSON", 0},
	{OPTION_CHOICE, "lifetimes", &given.format, OUTPUT_LIFETIMES, NULL,
	 "how long what was freed had lived, and whether another thread freed "
	 "it",
	 0},

	{.kind = OPTION_HEADING, .help = "Heap profiles:"},
	{OPTION_CHOICE, "inuse_space", &given.type, INUSE_SPACE, NULL,
	 "bytes in use (default)", 0},
	{OPTION_CHOICE, "inuse_objects", &given.type, INUSE_OBJECTS, NULL,
	 "objects in use", 0},
	{OPTION_CHOICE, "alloc_space", &given.type, ALLOC_SPACE, NULL,
	 "bytes allocated since the start", 0},
	{OPTION_CHOICE, "alloc_objects", &given.type, ALLOC_OBJECTS, NULL,
	 "objects allocated since the start", 0},
	{OPTION_FLAG, "peak", &given.peak, 0, NULL,
	 "of a process or core file: what was in use when that was most", 0},
	{OPTION_FLAG, "show_bytes", &given.show_bytes, 0, NULL,
	 "plain bytes rather than KiB, MiB, GiB", 0},
	{OPTION_FLAG, "drop_negative", &given.drop_negative, 0, NULL,
	 "with --base: leave out what shrank", 0},

	{.kind = OPTION_HEADING, .help = "Selection and call graph:"},
	{OPTION_UINT, "nodecount", &given.node_count, 0, "N",
	 "at most N nodes (default 80), or rows of a table; 0: all", 0},
	{OPTION_DOUBLE, "nodefraction", &given.node_fraction, 0, "F",
	 "hide nodes below F of the total (default 0.005)", 0},
	{OPTION_DOUBLE, "edgefraction", &given.edge_fraction, 0, "F",
	 "hide edges below F of the total (default 0.001)", 0},
	{OPTION_UINT, "maxdegree", &given.max_degree, 0, "N",
	 "at most N edges into and out of a node (default 8); 0: all", 0},
	{OPTION_STRING, "focus", &given.filter.focus, 0, "REGEX",
	 "only stacks with a frame that matches", 0},
	{OPTION_STRING, "ignore", &given.filter.ignore, 0, "REGEX",
	 "no stacks with a frame that matches", 0},
	{OPTION_STRING, "retain", &given.filter.retain, 0, "REGEX",
	 "only frames that match", 0},
	{OPTION_STRING, "exclude", &given.filter.exclude, 0, "REGEX",
	 "no frames that match", 0},
	{OPTION_STRING, "thread", &given.thread, 0, "N",
	 "only thread N; *: a table for each thread", 0},
	{OPTION_DOUBLE, "scale", &given.picture_scale, 0, "N",
	 "draw call graphs N steps larger, two of which double the size "
	 "(default 0; may be negative)",
	 0},

	{.kind = OPTION_HEADING, .help = "Not in this version (refused):"},
	{OPTION_FLAG, "interactive", &later.interactive, 0, NULL,
	 "prompt for commands", 0},
	{OPTION_STRING, "list", &later.list, 0, "REGEX", "annotated source", 0},
	{OPTION_STRING, "disasm", &later.disasm, 0, "REGEX",
	 "annotated disassembly", 0},
	{OPTION_FLAG, "symbols", &later.symbols, 0, NULL,
	 "names for addresses from standard input", 0},
	{OPTION_FLAG, "gv", &later.gv, 0, NULL, "call graph in gv", 0},
	{OPTION_FLAG, "evince", &later.evince, 0, NULL, "call graph in evince",
	 0},
	{OPTION_FLAG, "web", &later.web, 0, NULL, "call graph in a browser", 0},
	{OPTION_FLAG, "gif", &later.gif, 0, NULL, "call graph as GIF", 0},
	{OPTION_FLAG, "heapcheck", &later.heapcheck, 0, NULL,
	 "mark nodes that leak", 0},
	{OPTION_STRING, "add_lib", &later.add_lib, 0, "FILE",
	 "symbols of another library", 0},
	{OPTION_STRING, "seconds", &later.seconds, 0, "N",
	 "how long to profile an URL", 0},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

struct refusal {
	const bool *flag;	  /* either: set by the option */
	const char *const *value; /* or: not NULL then */
	const char *name, *remedy;
};

static const struct refusal refusals[] = {
	{&later.interactive, NULL, "interactive",
	 "run jeprof once for each report"},
	{NULL, &later.list, "list", "use --lines"},
	{NULL, &later.disasm, "disasm", "use --addresses"},
	{&later.symbols, NULL, "symbols", "use addr2line"},
	{&later.gv, NULL, "gv", "use --ps -o FILE, and view that"},
	{&later.evince, NULL, "evince", "use --pdf -o FILE, and view that"},
	{&later.web, NULL, "web",
	 "use --flame -o FILE.html or --svg -o FILE.svg, and open that"},
	{&later.gif, NULL, "gif", "use --png"},
	{&later.heapcheck, NULL, "heapcheck", "use --svg"},
	{NULL, &later.add_lib, "add_lib", "use --lib_prefix"},
	{NULL, &later.seconds, "seconds", "save the profile and name its file"},
};

static bool refuse_later(struct diag *diag)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];

		if (r->flag ? *r->flag : *r->value != NULL)
			return diag_set(diag, "--%s is not in this version; %s",
					r->name, r->remedy);
	}
	return true;
}

static const struct ending {
	const char *text;
	enum output_format format;
} endings[] = {
	{".txt", OUTPUT_TEXT},
	{".html", OUTPUT_FLAME},
	{".svg", OUTPUT_SVG},
	{".png", OUTPUT_PNG},
	{".pdf", OUTPUT_PDF},
	{".ps", OUTPUT_PS},
	{".dot", OUTPUT_DOT},
	{".collapsed", OUTPUT_COLLAPSED},
	{".folded", OUTPUT_COLLAPSED},
	{".pb.gz", OUTPUT_PPROF},
	{".callgrind", OUTPUT_CALLGRIND},
	{".json", OUTPUT_JSON},
	{".raw", OUTPUT_RAW},
};

static enum output_format format_by_ending(const char *output)
{
	if (!output)
		return OUTPUT_TEXT;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (str_ends_with(str_of(output), str_of(endings[i].text)))
			return endings[i].format;
	return OUTPUT_TEXT;
}

/* By its first bytes: an ELF program or library, or a script; no core file. */
static bool is_program(const char *path)
{
	unsigned char head[EI_NIDENT + 2] = {0};
	int fd = file_open_to_look(path);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, head, sizeof(head));
	close(fd);
	if (n >= 2 && !memcmp(head, "#!", 2))
		return access(path, X_OK) == 0;
	if (n < (ssize_t)sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	return head[EI_NIDENT] != ET_CORE && head[EI_NIDENT + 1] != ET_CORE;
}

static bool looks_like_url(const char *name)
{
	return strstr(name, "://") != NULL;
}

static bool check_input(const char *name, struct diag *diag)
{
	if (looks_like_url(name))
		return diag_set(diag,
				"%s: URLs are not in this version; save the "
				"profile and name its file",
				name);
	return true;
}

static bool take_inputs(struct command_line *line, char **arguments,
			size_t count, struct diag *diag)
{
	if (count && is_program(arguments[0])) {
		line->program = arguments[0];
		arguments++;
		count--;
	}
	if (!count && line->program)
		return diag_set(diag,
				"%s is a program: name a profile after it, or "
				"the pid of a process that runs on liballoc",
				line->program);
	if (!count)
		return diag_set(
			diag,
			"no profile named: give a dump file, a "
			"pid, a core file or - (--help lists the options)");
	line->inputs = arguments;
	line->input_count = count;
	for (size_t i = 0; i < count; i++)
		if (!check_input(arguments[i], diag))
			return false;
	for (size_t i = 0; i < line->bases.count; i++)
		if (!check_input(line->bases.values[i], diag))
			return false;
	return true;
}

static bool check_values(const struct command_line *line, struct diag *diag)
{
	uint64_t uid;

	if (!(line->node_fraction >= 0 && line->node_fraction <= 1))
		return diag_set(diag, "--nodefraction takes 0 to 1");
	if (!(line->edge_fraction >= 0 && line->edge_fraction <= 1))
		return diag_set(diag, "--edgefraction takes 0 to 1");
	if (!(fabs(line->picture_scale) <= 10))
		return diag_set(diag, "--scale takes -10 to 10");
	if (line->node_count > UINT32_MAX || line->max_degree > UINT32_MAX)
		return diag_set(diag, "--nodecount and --maxdegree take at "
				      "most 4294967295");
	if (line->peak &&
	    (line->type == ALLOC_OBJECTS || line->type == ALLOC_SPACE))
		return diag_set(diag,
				"--peak is of what was in use: leave out --%s",
				sample_type_names[line->type]);
	if (line->thread && strcmp(line->thread, "*") != 0 &&
	    !parse_uint(line->thread, &uid))
		return diag_set(diag,
				"--thread=%s: give a thread's number, "
				"or * for each",
				line->thread);
	if (line->thread && !strcmp(line->thread, "*") &&
	    line->format != OUTPUT_TEXT && line->format != OUTPUT_LIFETIMES)
		return diag_set(diag, "--thread=* gives tables; for another "
				      "output, name one thread");
	return true;
}

bool command_line_parse(struct command_line *line, int argc, char **argv,
			struct diag *diag)
{
	char **arguments;
	size_t count;

	given = (struct command_line){.type = INUSE_SPACE,
				      .granularity = BY_FUNCTION,
				      .inlines = true,
				      .node_count = UINT64_MAX,
				      .max_degree = 8,
				      .node_fraction = 0.005,
				      .edge_fraction = 0.001};
	later = (struct later){.gv = false};
	if (!options_parse(rows, ROW_COUNT, argc, argv, &arguments, &count,
			   diag))
		return false;
	given.node_count_given = given.node_count != UINT64_MAX;
	if (!given.node_count_given)
		given.node_count = 80;
	if (given.format == OUTPUT_UNSET)
		given.format = format_by_ending(given.output);
	*line = given;
	if (line->help || line->version)
		return true;
	return refuse_later(diag) && check_values(line, diag) &&
	       take_inputs(line, arguments, count, diag);
}

void command_line_help(void)
{
	fputs("Usage: jeprof [OPTION]... [PROGRAM] PROFILE...\n"
	      "Shows where a program's memory is, from a heap profile.\n\n"
	      "PROFILE is a dump file (heap_v2 and older, --raw, pprof), the "
	      "pid of a process\nthat runs on liballoc, a core file of one that "
	      "did, or - for standard input.\nFiles may be packed by gzip, zstd, "
	      "xz or lz4. Several are summed. PROGRAM need\nnot be named.\n",
	      stdout);
	options_help(rows, ROW_COUNT);
}
