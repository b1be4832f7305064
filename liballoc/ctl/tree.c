/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts the tables of controls together, makes rows of the options, and says
 * which indices exist. Holds no state.
 */
#include "config.h"

#include "liballoc/ctl/tree.h"

#include <string.h>

#include "liballoc/ctl/option_table.h"
#include "liballoc/ctl/options.h"
#include "liballoc/heap/heap.h"
#include "liballoc/heap/observe.h"
#include "liballoc/include/liballoc/liballoc.h"

static const struct ctl_table *const tables[] = {
	&ctl_general_table,    &ctl_thread_table,	&ctl_arena_table,
	&ctl_made_arena_table, &ctl_experimental_table, &ctl_prof_table,
	&ctl_stats_table,      &ctl_mutex_table,
};

#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

unsigned ctl_row_count(void)
{
	unsigned count = option_count;

	for (unsigned i = 0; i < TABLE_COUNT; i++)
		count += tables[i]->count;
	return count;
}

uint64_t ctl_from_pointer(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

static int get_option(const struct ctl_call *call, uint64_t *value)
{
	const struct option_row *option = call->row->option;
	const void *field = (const char *)&opt + option->offset;

	switch (option->type) {
	case OPTION_BOOL:
		*value = *(const bool *)field;
		break;
	case OPTION_UNSIGNED:
		*value = *(const unsigned *)field;
		break;
	case OPTION_SIZE:
		*value = *(const size_t *)field;
		break;
	case OPTION_SSIZE:
		*value = (uint64_t) * (const ssize_t *)field;
		break;
	case OPTION_INT64:
		*value = (uint64_t) * (const int64_t *)field;
		break;
	case OPTION_WORD:
		*value = ctl_from_pointer(
			option_word(option, *(const unsigned *)field));
		break;
	case OPTION_AMOUNT: /* which begins with its text */
	case OPTION_STRING:
	case OPTION_LETTERS:
		*value = ctl_from_pointer(field);
		break;
	}
	return 0;
}

static enum ctl_type type_of_option(enum option_type type)
{
	static const enum ctl_type types[] = {
		[OPTION_BOOL] = CTL_BOOL,     [OPTION_UNSIGNED] = CTL_UNSIGNED,
		[OPTION_SIZE] = CTL_SIZE,     [OPTION_SSIZE] = CTL_SSIZE,
		[OPTION_INT64] = CTL_INT64,   [OPTION_WORD] = CTL_STRING,
		[OPTION_STRING] = CTL_STRING, [OPTION_LETTERS] = CTL_STRING,
		[OPTION_AMOUNT] = CTL_STRING,
	};

	return types[type];
}

void ctl_row_at(unsigned index, struct ctl_row *row)
{
	for (unsigned i = 0; i < TABLE_COUNT; i++) {
		if (index < tables[i]->count) {
			tables[i]->row_at(index, row);
			return;
		}
		index -= tables[i]->count;
	}
	*row = (struct ctl_row){
		.name = option_rows[index].name,
		.type = type_of_option(option_rows[index].type),
		.get = get_option,
		.option = &option_rows[index],
	};
}

bool ctl_is_all_arenas(size_t index)
{
	return index == MALLCTL_ARENAS_ALL || index == heap_arena_count();
}

static bool is_arena(size_t index)
{
	return index < heap_arena_count() || ctl_is_all_arenas(index) ||
	       index == MALLCTL_ARENAS_DESTROYED;
}

static bool has_statistics(size_t index)
{
	if (ctl_is_all_arenas(index))
		return true;
	if (index == MALLCTL_ARENAS_DESTROYED)
		return heap_destroyed_stats() != NULL;
	return index < heap_arena_count() && heap_arena((unsigned)index);
}

static bool is_small(size_t index)
{
	return index < heap_small_class_count();
}

static bool is_run_size(size_t index)
{
	return index < observe_run_sizes();
}

static bool is_large(size_t index)
{
	return index < heap_class_count() - heap_small_class_count();
}

static bool is_profiled_small(size_t index)
{
	return opt.prof && opt.prof_stats && is_small(index);
}

static bool is_profiled_large(size_t index)
{
	return opt.prof && opt.prof_stats && is_large(index);
}

/* What an index counts follows from the name up to it. */
static const struct index_rule {
	const char *head;
	bool (*exists)(size_t index);
} index_rules[] = {
	{"arena.<", is_arena},
	{"arenas.bin.<", is_small},
	{"arenas.lextent.<", is_large},
	{"stats.arenas.<", has_statistics},
	{"stats.arenas.<i>.bins.<", is_small},
	{"stats.arenas.<i>.lextents.<", is_large},
	{"stats.arenas.<i>.extents.<", is_run_size},
	{"experimental.arenas.<", has_statistics},
	{"prof.stats.bins.<", is_profiled_small},
	{"prof.stats.lextents.<", is_profiled_large},
};

static bool index_exists(const char *name, size_t head, size_t index)
{
	for (size_t i = 0; i < sizeof(index_rules) / sizeof(index_rules[0]);
	     i++) {
		const char *rule = index_rules[i].head;

		if (strlen(rule) == head && memcmp(name, rule, head) == 0)
			return index_rules[i].exists(index);
	}
	return false;
}

bool ctl_indices_exist(const struct ctl_row *row, const size_t *mib,
		       unsigned depth)
{
	const char *at = row->name;

	for (unsigned i = 0; i < depth; i++) {
		if (*at == '<' &&
		    !index_exists(row->name, (size_t)(at - row->name) + 1,
				  mib[i]))
			return false;
		at = strchr(at, '.');
		if (!at)
			break;
		at++;
	}
	return true;
}

int ctl_get_number(const struct ctl_call *call, uint64_t *value)
{
	*value = call->row->number;
	return 0;
}

int ctl_get_text(const struct ctl_call *call, uint64_t *value)
{
	*value = ctl_from_pointer(call->row->text);
	return 0;
}
