/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flame graph: flame.html with the profile's stacks inside, as a tree of
 * frames and what its leaves hold, by all sample types. Everything else is
 * done where it is looked at.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libjeheap/base/json.h"
#include "libjeheap/report/amount.h"
#include "libjeheap/report/frames.h"
#include "libjeheap/report/short_name.h"

static const char template_html[] = {
#include "libjeheap/report/flame.inc"
};

/* Where the data go in the template. */
#define DATA_MARK "@PROFILE@"

struct tree_key {
	uint32_t parent; /* NONE: the root */
	uint32_t name;
};

struct tree_node {
	struct tree_key key;
	bool inlined; /* always into its parent */
	struct value self[SAMPLE_TYPES];
	double inuse_samples, alloc_samples;
	bool is_leaf;
};

struct tree {
	struct frames *frames;
	struct intern keys;
	struct tree_node *nodes;
	size_t count, capacity;
	struct arena *arena;
};

static uint32_t child_of(struct tree *tree, uint32_t parent,
			 const struct frame_step *step)
{
	struct tree_key key = {parent, step->name};
	uint32_t i = intern(&tree->keys,
			    (struct str){(const char *)&key, sizeof(key)});
	struct tree_node *node;

	if (i < tree->count) {
		tree->nodes[i].inlined &= step->inlined;
		return i;
	}
	node = ARENA_PUSH(tree->arena, tree->nodes, tree->count,
			  tree->capacity);
	node->key = key;
	node->inlined = step->inlined;
	return i;
}

static void add_sample(struct tree *tree, const struct sample *sample)
{
	size_t depth = frames_expand(tree->frames, sample->stack);
	uint32_t at = NONE;
	struct tree_node *leaf;

	for (size_t i = depth; i-- > 0;)
		at = child_of(tree, at, &tree->frames->steps[i]);
	if (at == NONE)
		return;
	leaf = &tree->nodes[at];
	leaf->is_leaf = true;
	leaf->inuse_samples += sample->inuse_samples;
	leaf->alloc_samples += sample->alloc_samples;
	for (int i = 0; i < SAMPLE_TYPES; i++) {
		leaf->self[i].total += sample->value[i].total;
		leaf->self[i].variance += sample->value[i].variance;
	}
}

static bool shows_type(const struct profile *profile, enum sample_type type)
{
	return profile->has_alloc || type == INUSE_SPACE ||
	       type == INUSE_OBJECTS;
}

static void put_types(struct json *json, const struct profile *profile,
		      const struct report_options *options)
{
	json_array(json, "types");
	for (int i = 0; i < SAMPLE_TYPES; i++) {
		double whole =
			options->whole
				? options->whole[i].total
				: profile_total(profile, (enum sample_type)i)
					  .total;

		if (!shows_type(profile, (enum sample_type)i))
			continue;
		json_object(json, NULL);
		json_string(json, "name", str_of(sample_type_names[i]));
		json_string(json, "unit", str_of(sample_type_units[i]));
		json_double(json, "whole", round(whole));
		json_bool(json, "chosen", i == (int)options->type);
		json_end_object(json);
	}
	json_end_array(json);
}

/* No control character or change of direction gets into the page. */
static struct str masked_copy(struct arena *arena, struct str name)
{
	char *text = str_cstring(arena, name);

	mask_text(text, name.len);
	return (struct str){text, name.len};
}

static void put_head(struct json *json, const struct profile *profile,
		     const struct report_options *options, struct arena *arena)
{
	char time[32];

	json_string(json, "title",
		    str_of(report_title(profile, options, arena)));
	json_string(json, "command", masked_copy(arena, profile->command));
	json_string(json, "period", describe_period(profile, arena));
	json_string(json, "time", str_of(format_time(time, profile->time_ns)));
	json_string(json, "selection",
		    str_of(options->selection ? options->selection : ""));
	json_bool(json, "difference", options->difference);
	json_bool(json, "plain", options->show_bytes);
	json_double(json, "dropped_samples", profile->dropped_samples);
	put_types(json, profile, options);
}

static void put_names(struct json *json, const struct frames *frames,
		      bool shorten, struct arena *arena)
{
	struct intern objects = {.arena = arena};
	size_t count = frames->names.count;
	struct str *names = ARENA_ARRAY(arena, count, struct str);

	json_array(json, "names");
	for (size_t i = 0; i < count; i++) {
		names[i] = masked_copy(arena, frames->names.strings[i]);
		json_string(json, NULL, names[i]);
	}
	json_end_array(json);
	json_array(json, "shorts");
	for (size_t i = 0; i < count; i++) {
		struct str label = names[i];

		if (shorten && str_find(label, STR("+0x")) == SIZE_MAX)
			label = short_name(arena, label);
		if (str_equal(label, names[i]))
			json_int(json, NULL, 0);
		else
			json_string(json, NULL, label);
	}
	json_end_array(json);
	json_array(json, "object_of");
	for (size_t i = 0; i < count; i++)
		json_uint(json, NULL, intern(&objects, frames->files[i]));
	json_end_array(json);
	json_array(json, "objects");
	for (size_t i = 0; i < objects.count; i++)
		json_string(json, NULL, masked_copy(arena, objects.strings[i]));
	json_end_array(json);
}

static void put_nodes(struct json *json, const struct tree *tree)
{
	json_array(json, "parent");
	for (size_t i = 0; i < tree->count; i++)
		json_int(json, NULL,
			 tree->nodes[i].key.parent == NONE
				 ? -1
				 : (int64_t)tree->nodes[i].key.parent);
	json_end_array(json);
	json_array(json, "name_of");
	for (size_t i = 0; i < tree->count; i++)
		json_uint(json, NULL, tree->nodes[i].key.name);
	json_end_array(json);
	json_array(json, "inlined");
	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].inlined)
			json_uint(json, NULL, i);
	json_end_array(json);
	json_array(json, "leaves");
	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].is_leaf)
			json_uint(json, NULL, i);
	json_end_array(json);
}

/* Objects keep two decimals: a sampled one may stand for a part of one. */
static double rounded(enum sample_type type, double value)
{
	double r = is_space(type) ? round(value) : round(value * 100) / 100;

	return r == 0 ? 0 : r;
}

static void put_values(struct json *json, const struct tree *tree,
		       const struct profile *profile)
{
	static const char *const keys[] = {"values", "variances"};

	for (int k = 0; k < 2; k++) {
		json_array(json, keys[k]);
		for (int t = 0; t < SAMPLE_TYPES; t++) {
			if (!shows_type(profile, (enum sample_type)t))
				continue;
			json_array(json, NULL);
			for (size_t i = 0; i < tree->count; i++) {
				const struct tree_node *node = &tree->nodes[i];
				double v = k ? node->self[t].variance
					     : node->self[t].total;

				if (node->is_leaf)
					json_double(json, NULL,
						    rounded((enum sample_type)t,
							    v));
			}
			json_end_array(json);
		}
		json_end_array(json);
	}
}

static char *profile_json(const struct profile *profile,
			  const struct report_options *options,
			  struct arena *arena, size_t *size)
{
	struct tree tree = {.keys = {.arena = arena}, .arena = arena};
	char *text = NULL;
	struct json json = {.stream = open_memstream(&text, size)};

	if (!json.stream)
		out_of_memory();
	tree.frames = frames_new(profile, options->granularity, arena);
	for (size_t i = 0; i < profile->sample_count; i++)
		add_sample(&tree, &profile->samples[i]);
	json_object(&json, NULL);
	put_head(&json, profile, options, arena);
	put_names(&json, tree.frames, options->granularity == BY_FUNCTION,
		  arena);
	put_nodes(&json, &tree);
	put_values(&json, &tree, profile);
	json_end_object(&json);
	if (fclose(json.stream) != 0)
		out_of_memory();
	return text;
}

/*
 * Outside of strings JSON has none of these, and in them an escape is the same
 * as the character: so no name can end the script element or open another.
 */
static void put_in_script(const char *text, size_t size, FILE *stream)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '<' || c == '>' || c == '&')
			fprintf(stream, "\\u%04x", c);
		else
			fputc(c, stream);
	}
}

bool report_flame(const struct profile *profile,
		  const struct report_options *options, FILE *stream,
		  struct diag *diag)
{
	const size_t mark = sizeof(DATA_MARK) - 1;
	struct str html = {template_html, sizeof(template_html)};
	size_t at = str_find(html, STR(DATA_MARK)), size;
	struct arena arena = {NULL, NULL, NULL};
	char *text;

	if (at == SIZE_MAX)
		return diag_set(diag, "the template of the flame graph has no "
				      "place for data");
	text = profile_json(profile, options, &arena, &size);
	fwrite(html.ptr, 1, at, stream);
	put_in_script(text, size, stream);
	fwrite(html.ptr + at + mark, 1, html.len - at - mark, stream);
	free(text);
	arena_free(&arena);
	return true;
}
