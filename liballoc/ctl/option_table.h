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

/* The letters of malloc_stats_print, which OPTION_LETTERS knows; others pass.
 */
#define OPTION_STATS_LETTERS "Jgmdablxeh"

/* The lists of words that a row of OPTION_WORD may have. */
enum option_words {
	OPTION_NO_WORDS,
	OPTION_DSS_WORDS,
	OPTION_JUNK_WORDS,
	OPTION_PERCPU_ARENA_WORDS,
	OPTION_SIGNAL_WORDS,
	OPTION_THP_WORDS,
	OPTION_TIME_RESOLUTION_WORDS,
	OPTION_ZERO_REALLOC_WORDS,
};

/*
 * Texts lie in the rows, here and below: a pointer to them would be relocated,
 * and its page resident in every process.
 */
struct option_row {
	char name[40]; /* "opt." and the option's name */
	enum option_type type;
	enum option_words words; /* of OPTION_WORD */
	bool clip;	 /* a number out of range becomes the nearest in it */
	bool clip_above; /* so does one that is too great, but no other */
	bool automatic;	 /* "default" stands for the number 0 */
	size_t offset;	 /* of the field in struct options */
	int64_t min;	 /* the range of a number */
	int64_t max;	 /* of a number; of a string: the bytes of the field */
};

extern const struct option_row option_rows[];
extern const unsigned option_count;

/* The word that the number index stands for; NULL where it is none. */
const char *option_word(const struct option_row *row, unsigned index);

/* The row's name without "opt.". */
const char *option_key(const struct option_row *row);

/*
 * Options of jemalloc that have no meaning here: accepted where what they ask
 * for is what happens anyway (or only tunes what we do not have), else
 * reported.
 */
struct option_ignored {
	char key[40];
	char values[24]; /* accepted, separated by '|'; empty: all */
};

extern const struct option_ignored option_ignored_rows[];
extern const unsigned option_ignored_count;

#endif
