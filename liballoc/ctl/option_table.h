/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of the options: a row for each field of struct options, from
 * which the parser, the mallctl names opt.*, malloc_stats_print and the check
 * of the manual page are all fed. Holds no values.
 */
#ifndef LIBALLOC_CTL_OPTION_TABLE_H
#define LIBALLOC_CTL_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_BOOL,
	OPTION_UNSIGNED, /* unsigned */
	OPTION_SIZE,	 /* size_t */
	OPTION_SSIZE,	 /* ssize_t */
	OPTION_INT64,	 /* int64_t */
	OPTION_WORD,	 /* unsigned: which of the row's words */
	OPTION_LETTERS,	 /* char[]: letters that add up over all sources */
	OPTION_STRING,	 /* char[], NUL-terminated */
	OPTION_AMOUNT,	 /* struct option_amount: bytes, or a percentage */
};

struct option_row {
	const char *name; /* "opt." and the option's name */
	enum option_type type;
	bool clip;	 /* a number out of range becomes the nearest in it */
	bool clip_above; /* so does one that is too great, but no other */
	bool automatic;	 /* "default" stands for the number 0 */
	size_t offset;	 /* of the field in struct options */
	int64_t min;	 /* the range of a number */
	int64_t max;	 /* of a number; of a string: the bytes of the field */
	const char *letters;	  /* that OPTION_LETTERS knows; others pass */
	const char *const *words; /* of OPTION_WORD; NULL ends them */
};

extern const struct option_row option_rows[];
extern const unsigned option_count;

/* The row's name without "opt.". */
const char *option_key(const struct option_row *row);

/*
 * Options of jemalloc that have no meaning here: accepted where what they ask
 * for is what happens anyway (or only tunes what we do not have), else
 * reported.
 */
struct option_ignored {
	const char *key;
	const char *values; /* accepted, separated by '|'; NULL: all */
};

extern const struct option_ignored option_ignored_rows[];
extern const unsigned option_ignored_count;

#endif
