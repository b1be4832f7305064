/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings of a known length, text that grows, and the numbering of distinct
 * strings. Owns no memory: all of it is the caller's arena's.
 */
#include "config.h"

#include "libjeheap/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

int str_compare(struct str a, struct str b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool str_starts_with(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_equal((struct str){s.ptr, prefix.len}, prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
	if (s.len < suffix.len)
		return false;
	if (suffix.len == 0)
		return true;
	return !memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len);
}

size_t str_find(struct str s, struct str what)
{
	const char *found;

	if (what.len == 0)
		return 0;
	if (s.len < what.len)
		return SIZE_MAX;
	found = memmem(s.ptr, s.len, what.ptr, what.len);
	return found ? (size_t)(found - s.ptr) : SIZE_MAX;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	while (s.len && is_space(*s.ptr)) {
		s.ptr++;
		s.len--;
	}
	return s;
}

struct str str_basename(struct str path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

	if (!slash)
		return path;
	return (struct str){slash + 1,
			    (size_t)(path.ptr + path.len - slash - 1)};
}

struct str str_split(struct str s, char separator, struct str *rest)
{
	const char *found = s.len ? memchr(s.ptr, separator, s.len) : NULL;
	size_t before = found ? (size_t)(found - s.ptr) : s.len;

	if (found)
		*rest = (struct str){found + 1, s.len - before - 1};
	else
		*rest = (struct str){s.ptr ? s.ptr + s.len : NULL, 0};
	return (struct str){s.ptr, before};
}

char *str_cstring(struct arena *arena, struct str s)
{
	char *copy;

	if (s.len == SIZE_MAX)
		out_of_memory();
	copy = arena_alloc(arena, s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

struct str str_copy(struct arena *arena, struct str s)
{
	return (struct str){str_cstring(arena, s), s.len};
}

/*
 * Seeded afresh in each process, so that no input can be made whose strings
 * all collide.
 */
static uint64_t hash_seed(void)
{
	static uint64_t seed;

	if (!seed && (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) !=
			      (ssize_t)sizeof(seed) ||
		      !seed))
		seed = (uint64_t)(uintptr_t)&seed | 1;
	return seed;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	__extension__ unsigned __int128 product =
		(unsigned __int128)(h ^ word) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t str_hash(struct str s)
{
	uint64_t h = mix(hash_seed(), s.len), word;

	for (; s.len >= sizeof(word); s.len -= sizeof(word)) {
		memcpy(&word, s.ptr, sizeof(word));
		h = mix(h, word);
		s.ptr += sizeof(word);
	}
	word = 0;
	if (s.len)
		memcpy(&word, s.ptr, s.len);
	return mix(mix(h, word), hash_seed());
}

static void text_reserve(struct text *text, size_t more)
{
	size_t need, larger;
	char *grown;

	if (__builtin_add_overflow(text->len, more, &need) ||
	    need > SIZE_MAX / 4)
		out_of_memory();
	if (need < text->capacity)
		return;
	larger = need * 2 < 64 ? 64 : need * 2;
	grown = arena_alloc(text->arena, larger);
	if (text->len)
		memcpy(grown, text->ptr, text->len);
	text->ptr = grown;
	text->capacity = larger;
}

void text_add(struct text *text, struct str s)
{
	text_reserve(text, s.len);
	if (s.len)
		memcpy(text->ptr + text->len, s.ptr, s.len);
	text->len += s.len;
}

void text_add_char(struct text *text, char c)
{
	text_add(text, (struct str){&c, 1});
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return;
	text_reserve(text, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(text->ptr + text->len, (size_t)n + 1, format, args);
	va_end(args);
	text->len += (size_t)n;
}

struct str text_str(struct text *text)
{
	text_reserve(text, 1);
	text->ptr[text->len] = '\0';
	return (struct str){text->ptr, text->len};
}

/* The slot that holds s, or the empty one where it belongs. */
static uint32_t *find_slot(struct intern *table, struct str s)
{
	size_t mask = table->slot_count - 1;
	size_t at = str_hash(s) & mask;

	while (table->slots[at] &&
	       !str_equal(table->strings[table->slots[at] - 1], s))
		at = (at + 1) & mask;
	return &table->slots[at];
}

static void grow_slots(struct intern *table)
{
	uint32_t i;

	table->slot_count = table->slot_count ? table->slot_count * 2 : 64;
	table->slots = arena_array(table->arena, table->slot_count,
				   sizeof(*table->slots));
	for (i = 0; i < table->count; i++)
		*find_slot(table, table->strings[i]) = i + 1;
}

uint32_t intern(struct intern *table, struct str s)
{
	uint32_t *slot;

	if (table->count * 2 >= table->slot_count)
		grow_slots(table);
	slot = find_slot(table, s);
	if (*slot)
		return *slot - 1;
	if (table->count >= UINT32_MAX - 1)
		out_of_memory();
	*ARENA_PUSH(table->arena, table->strings, table->count,
		    table->capacity) = str_copy(table->arena, s);
	*slot = (uint32_t)table->count;
	return *slot - 1;
}
