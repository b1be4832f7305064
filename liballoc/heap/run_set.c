/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Best fit by treaps. Owns no memory: the links lie in the extents.
 */
#include "config.h"

#include "liballoc/heap/run_set.h"

#define LG_UNIT 12u

/* The bin of runs of at least this many bytes; rounds down. */
unsigned run_set_bin_of(size_t bytes)
{
	size_t units = bytes >> LG_UNIT;
	unsigned lg;

	if (units < 8)
		return (unsigned)units;
	lg = 63 - (unsigned)__builtin_clzll(units);
	return 8 + (lg - 3) * 4 + (unsigned)(units >> (lg - 2) & 3);
}

size_t run_set_bin_bytes(unsigned bin)
{
	size_t units = bin;

	if (bin >= 8)
		units = (4 + (size_t)bin % 4) << (bin / 4 - 1);
	return units << LG_UNIT;
}

static uint64_t priority(const struct extent *run)
{
	return run->base * UINT64_C(0x9e3779b97f4a7c15);
}

static bool before(const struct extent *a, size_t bytes, uintptr_t base)
{
	return a->bytes != bytes ? a->bytes < bytes : a->base < base;
}

void run_set_insert(struct run_set *set, struct extent *run)
{
	unsigned bin = run_set_bin_of(run->bytes);
	struct extent **link = &set->bins[bin].root;
	struct extent **left = &run->left, **right = &run->right;
	struct extent *rest;

	while (*link && priority(*link) >= priority(run))
		link = before(*link, run->bytes, run->base) ? &(*link)->right
							    : &(*link)->left;
	rest = *link;
	*link = run;
	while (rest) {
		if (before(rest, run->bytes, run->base)) {
			*left = rest;
			left = &rest->right;
			rest = rest->right;
		} else {
			*right = rest;
			right = &rest->left;
			rest = rest->left;
		}
	}
	*left = *right = NULL;
	set->bins[bin].bytes += run->bytes;
	set->bins[bin].count++;
	set->occupied[bin / 64] |= UINT64_C(1) << bin % 64;
}

void run_set_remove(struct run_set *set, struct extent *run)
{
	unsigned bin = run_set_bin_of(run->bytes);
	struct extent **link = &set->bins[bin].root;
	struct extent *left = run->left, *right = run->right;

	while (*link != run)
		link = before(*link, run->bytes, run->base) ? &(*link)->right
							    : &(*link)->left;
	while (left && right) {
		if (priority(left) >= priority(right)) {
			*link = left;
			link = &left->right;
			left = left->right;
		} else {
			*link = right;
			link = &right->left;
			right = right->left;
		}
	}
	*link = left ? left : right;
	set->bins[bin].bytes -= run->bytes;
	set->bins[bin].count--;
	if (!set->bins[bin].root)
		set->occupied[bin / 64] &= ~(UINT64_C(1) << bin % 64);
}

static struct extent *fit_in_bin(struct extent *node, size_t bytes)
{
	struct extent *best = NULL;

	while (node) {
		if (node->bytes >= bytes) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

struct extent *run_set_find(const struct run_set *set, size_t bytes)
{
	unsigned bin = run_set_bin_of(bytes);
	struct extent *best = fit_in_bin(set->bins[bin].root, bytes);
	unsigned word = ++bin / 64;
	uint64_t bits;

	if (best)
		return best;
	if (word >= RUN_SET_BINS / 64)
		return NULL;
	bits = set->occupied[word] & ~UINT64_C(0) << bin % 64;
	while (!bits) {
		if (++word >= RUN_SET_BINS / 64)
			return NULL;
		bits = set->occupied[word];
	}
	bin = word * 64 + (unsigned)__builtin_ctzll(bits);
	return fit_in_bin(set->bins[bin].root, bytes);
}

static struct extent *last_in_bin(struct extent *node)
{
	while (node->right)
		node = node->right;
	return node;
}

/* The longest run in the bins below end. */
static struct extent *longest_below(const struct run_set *set, unsigned end)
{
	unsigned word = (end + 63) / 64;
	unsigned spare = word * 64 - end;

	while (word--) {
		uint64_t bits = set->occupied[word] & ~UINT64_C(0) >> spare;

		spare = 0;
		if (bits)
			return last_in_bin(
				set->bins[word * 64 + 63 -
					  (unsigned)__builtin_clzll(bits)]
					.root);
	}
	return NULL;
}

struct extent *run_set_longest(const struct run_set *set)
{
	return longest_below(set, RUN_SET_BINS);
}

struct extent *run_set_before(const struct run_set *set,
			      const struct extent *run)
{
	unsigned bin = run_set_bin_of(run->bytes);
	struct extent *node = set->bins[bin].root, *last = NULL;

	while (node) {
		if (before(node, run->bytes, run->base)) {
			last = node;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return last ? last : longest_below(set, bin);
}
