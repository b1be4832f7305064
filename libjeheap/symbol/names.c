/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names functions from their debugging entries, once per entry. Follows
 * origins for a bounded number of steps, since they may form a ring.
 */
#include "config.h"

#include "libjeheap/symbol/names.h"

#include <stdlib.h>
#include <string.h>

#include <dwarf.h>

#include "libjeheap/symbol/symbol.h"

#define ORIGINS_MAX 16
#define SCOPES_MAX 32

struct name_slot {
	const void *key; /* the address of the entry; NULL: empty */
	const struct function_name *name;
};

static struct name_slot *find_slot(struct name_slot *slots, size_t count,
				   const void *key)
{
	size_t i =
		(size_t)(((uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15)) >> 20);

	for (i &= count - 1; slots[i].key && slots[i].key != key;)
		i = (i + 1) & (count - 1);
	return &slots[i];
}

static struct name_slot *cache_slot(struct name_cache *cache, const void *key)
{
	if (cache->used * 2 >= cache->slot_count) {
		size_t larger = cache->slot_count ? cache->slot_count * 2 : 256;
		struct name_slot *slots =
			ARENA_ARRAY(cache->arena, larger, struct name_slot);

		for (size_t i = 0; i < cache->slot_count; i++)
			if (cache->slots[i].key)
				*find_slot(slots, larger, cache->slots[i].key) =
					cache->slots[i];
		cache->slots = slots;
		cache->slot_count = larger;
	}
	return find_slot(cache->slots, cache->slot_count, key);
}

/* Steps to the entry that this one is an instance, or definition, of. */
static bool step_to_origin(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die origin;

	if (!dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
	    !dwarf_attr(die, DW_AT_specification, &attribute))
		return false;
	if (!dwarf_formref_die(&attribute, &origin))
		return false;
	*die = origin;
	return true;
}

static const char *string_of(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute found;

	return dwarf_formstring(dwarf_attr_integrate(die, attribute, &found));
}

static bool has_scopes(Dwarf_Die *die)
{
	Dwarf_Die unit;

	switch (dwarf_srclang(dwarf_diecu(die, &unit, NULL, NULL))) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_D:
	case DW_LANG_Rust:
		return true;
	default:
		return false;
	}
}

static const char *scope_name(Dwarf_Die *scope)
{
	const char *name = dwarf_diename(scope);

	switch (dwarf_tag(scope)) {
	case DW_TAG_namespace:
		return name ? name : "(anonymous namespace)";
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return name ? name : "(anonymous class)";
	case DW_TAG_subprogram:
	case DW_TAG_module:
	case DW_TAG_enumeration_type:
		return name;
	default:
		return NULL;
	}
}

/*
 * "ns::Class::name": compilers write linkage names only for functions that
 * other files may call, and a bare "run" is not enough to know one by.
 */
static struct str qualify(struct arena *arena, Dwarf_Die *die, const char *name)
{
	struct text text = {.arena = arena};
	Dwarf_Die *scopes = NULL;
	int count = dwarf_getscopes_die(die, &scopes);

	if (count > SCOPES_MAX)
		count = SCOPES_MAX;
	for (int i = count - 1; i > 0; i--) {
		const char *outer = scope_name(&scopes[i]);

		if (outer)
			text_printf(&text, "%s::", outer);
	}
	if (count > 0)
		free(scopes);
	text_add(&text, str_of(name));
	return text_str(&text);
}

/* Without its "./" components; a copy where there are any. */
static struct str without_dots(struct arena *arena, struct str path)
{
	struct text text = {.arena = arena};

	if (str_find(path, STR("/./")) == SIZE_MAX)
		return path;
	for (size_t i = 0; i < path.len; i++) {
		if (path.len - i >= 3 && !memcmp(path.ptr + i, "/./", 3))
			i++;
		else
			text_add_char(&text, path.ptr[i]);
	}
	return text_str(&text);
}

struct str source_file(Dwarf_Files *files, uint64_t index)
{
	struct str name = str_of(dwarf_filesrc(files, index, NULL, NULL));

	return str_equal(name, STR("???")) ? (struct str){0} : name;
}

struct str source_path(struct arena *arena, Dwarf_Die *unit, struct str name)
{
	Dwarf_Attribute attribute;
	const char *folder;

	if (!name.len || name.ptr[0] == '/')
		return without_dots(arena, name);
	folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
	if (!folder || !*folder)
		return name;
	name = str_of(arena_printf(arena, "%s/%.*s", folder, STR_ARG(name)));
	return without_dots(arena, name);
}

/* By hand, since dwarf_decl_file() knows no file 0, which DWARF 5 has. */
static struct str declaration_file(struct arena *arena, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word index;
	Dwarf_Die unit;
	size_t count;

	if (!dwarf_attr_integrate(die, DW_AT_decl_file, &attribute) ||
	    dwarf_formudata(&attribute, &index) != 0 ||
	    !dwarf_cu_die(attribute.cu, &unit, NULL, NULL, NULL, NULL, NULL,
			  NULL) ||
	    dwarf_getsrcfiles(&unit, &files, &count) != 0)
		return (struct str){0};
	return source_path(arena, &unit, source_file(files, index));
}

static void set_declaration(struct arena *arena, Dwarf_Die *die,
			    struct function_name *function)
{
	int line = 0;

	function->file = declaration_file(arena, die);
	if (dwarf_decl_line(die, &line) == 0 && line > 0)
		function->line = (uint32_t)line;
}

static const struct function_name *make_name(struct arena *arena,
					     Dwarf_Die *die)
{
	struct function_name *function;
	const char *linkage = string_of(die, DW_AT_linkage_name);
	const char *name;
	Dwarf_Die origin = *die;
	int steps = 0;

	if (!linkage)
		linkage = string_of(die, DW_AT_MIPS_linkage_name);
	name = linkage ? linkage : string_of(die, DW_AT_name);
	if (!name || !*name)
		return NULL;
	function = ARENA_NEW(arena, struct function_name);
	function->system_name = str_copy(arena, str_of(name));
	set_declaration(arena, die, function);
	while (steps++ < ORIGINS_MAX && step_to_origin(&origin))
		;
	if (linkage)
		function->name = demangle(arena, function->system_name);
	else if (has_scopes(&origin))
		function->name = qualify(arena, &origin, name);
	else
		function->name = function->system_name;
	return function;
}

/* The entry that instances share, so that each name is made once. */
static const void *key_of(const Dwarf_Die *die)
{
	Dwarf_Die origin = *die;
	Dwarf_Attribute attribute;

	if (dwarf_attr(&origin, DW_AT_abstract_origin, &attribute) &&
	    dwarf_formref_die(&attribute, &origin))
		return origin.addr;
	return die->addr;
}

const struct function_name *function_name_of(struct name_cache *cache,
					     Dwarf_Die *die)
{
	const void *key = key_of(die);
	struct name_slot *slot = cache_slot(cache, key);

	if (!slot->key) {
		slot->key = key;
		slot->name = make_name(cache->arena, die);
		cache->used++;
	}
	return slot->name;
}
