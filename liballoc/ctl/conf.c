/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses option strings in jemalloc's syntax into struct options, by the
 * table of options. Knows nothing of the sources. Never allocates.
 */
#include "config.h"

#include "liballoc/ctl/conf.h"

#include <string.h>

#include "liballoc/ctl/option_table.h"
#include "liballoc/ctl/print.h"

#define EXPERIMENTAL "experimental_"
#define VALUE_SHOWN_BYTES 128 /* of an overlong value, in a report */

struct span {
	const char *at;
	size_t length;
};

struct pair {
	struct span key;
	struct span value;
};

static bool span_is(struct span span, const char *text)
{
	return strlen(text) == span.length &&
	       memcmp(span.at, text, span.length) == 0;
}

/* Is the span one of the words of "a|b|c"? */
static bool span_is_of(struct span span, const char *words)
{
	for (;;) {
		size_t length = strcspn(words, "|");

		if (length == span.length &&
		    memcmp(span.at, words, length) == 0)
			return true;
		if (words[length] == '\0')
			return false;
		words += length + 1;
	}
}

static void report_pair(const char *what, const struct pair *pair)
{
	struct print out;
	size_t shown = pair->value.length;

	if (shown > VALUE_SHOWN_BYTES)
		shown = VALUE_SHOWN_BYTES;
	print_start(&out, NULL, NULL);
	print_text(&out, "<liballoc>: ");
	print_text(&out, what);
	print_text(&out, ": ");
	print_masked(&out, pair->key.at, pair->key.length);
	print_text(&out, ":");
	print_masked(&out, pair->value.at, shown);
	print_text(&out, shown < pair->value.length ? "...\n" : "\n");
	print_end(&out);
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/*
 * Takes the next pair off *text. Returns NULL, or what is wrong with the text,
 * of which then nothing more can be taken.
 */
static const char *take_pair(const char **text, struct pair *pair)
{
	const char *p = *text;

	pair->key.at = p;
	while (is_key_char(*p))
		p++;
	pair->key.length = (size_t)(p - pair->key.at);
	if (*p == '\0')
		return "Conf string ends with key";
	if (*p != ':' || pair->key.length == 0)
		return "Malformed conf string";
	pair->value.at = ++p;
	pair->value.length = strcspn(p, ",");
	*text = p + pair->value.length;
	return NULL;
}

/* isspace() of the C locale. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/*
 * A number as strtoull() takes it in C: blanks, a sign, and then decimal, 0x
 * hexadecimal or 0 octal, in 64 bits. What a signed word does not hold becomes
 * the nearest that it does.
 */
static bool parse_number(struct span span, int64_t *number)
{
	const char *p = span.at, *end = p + span.length;
	uint64_t value = 0;
	bool negative;
	int base = 10;

	while (p < end && is_blank(*p))
		p++;
	negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	} else if (end - p > 1 && p[0] == '0') {
		base = 8;
		p++;
	}
	if (p == end)
		return false;
	for (; p < end; p++) {
		int digit = digit_of(*p);

		if (digit >= base ||
		    value > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base)
			return false;
		value = value * (uint64_t)base + (uint64_t)digit;
	}
	if (value > INT64_MAX)
		value = INT64_MAX;
	*number = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* Each sets the field, or says what is wrong with the value. */
static const char *set_bool(bool *field, struct span value)
{
	if (!span_is_of(value, "true|false"))
		return "Invalid conf value";
	*field = span_is(value, "true");
	return NULL;
}

static const char *set_number(const struct option_row *row, void *field,
			      struct span value)
{
	int64_t number;

	if (row->automatic && span_is(value, "default"))
		number = 0;
	else if (!parse_number(value, &number))
		return "Invalid conf value";
	else if (number > row->max && (row->clip || row->clip_above))
		number = row->max;
	else if (number < row->min && row->clip)
		number = row->min;
	else if (number < row->min || number > row->max)
		return "Out-of-range conf value";
	if (row->type == OPTION_UNSIGNED)
		*(unsigned *)field = (unsigned)number;
	else if (row->type == OPTION_INT64)
		*(int64_t *)field = number;
	else if (row->type == OPTION_SIZE)
		*(size_t *)field = (size_t)number;
	else
		*(ssize_t *)field = (ssize_t)number;
	return NULL;
}

/* What a number's last character makes of it; 1 where that is a digit. */
static uint64_t factor_of(char unit)
{
	static const char units[] = "KkMmGgTt";
	const char *at = strchr(units, unit);

	return at ? UINT64_C(1) << 10 * ((at - units) / 2 + 1) : 1;
}

/* 100, 0x1000, 64K, 2G, 80%; nothing is none. */
static bool parse_amount(struct span span, struct option_amount *amount)
{
	char last = span.length ? span.at[span.length - 1] : '0';
	uint64_t factor = factor_of(last);
	int64_t number = 0;

	if (last == '%' || factor > 1)
		span.length--;
	if ((span.length || last == '%' || factor > 1) &&
	    !parse_number(span, &number))
		return false;
	if (number < 0 || (uint64_t)number > INT64_MAX / factor)
		return false;
	if (last == '%' && (number < 1 || number > 100))
		return false;
	amount->percent = last == '%' ? (unsigned)number : 0;
	amount->bytes = last == '%' ? 0 : (uint64_t)number * factor;
	return true;
}

static const char *set_amount(struct option_amount *field, struct span value)
{
	if (value.length >= sizeof(field->text) || !parse_amount(value, field))
		return "Invalid conf value";
	memcpy(field->text, value.at, value.length);
	field->text[value.length] = '\0';
	return NULL;
}

static const char *set_string(const struct option_row *row, char *field,
			      struct span value)
{
	if (value.length >= (size_t)row->max)
		return "Too long conf value";
	memcpy(field, value.at, value.length);
	field[value.length] = '\0';
	return NULL;
}

/* As jemalloc: letters are added to those there are, unknown ones pass. */
static const char *set_letters(const struct option_row *row, char *field,
			       struct span value)
{
	size_t length = strlen(field);

	for (size_t i = 0; i < value.length; i++) {
		char c = value.at[i];

		if (strchr(OPTION_STATS_LETTERS, c) && !strchr(field, c) &&
		    length + 1 < (size_t)row->max)
			field[length++] = c;
		field[length] = '\0';
	}
	return NULL;
}

static const char *set_word(const struct option_row *row, unsigned *field,
			    struct span value)
{
	const char *word;

	for (unsigned i = 0; (word = option_word(row, i)); i++) {
		if (span_is(value, word)) {
			*field = i;
			return NULL;
		}
	}
	return "Invalid conf value";
}

static const char *set_option(struct options *options,
			      const struct option_row *row, struct span value)
{
	void *field = (char *)options + row->offset;

	if (row->type == OPTION_BOOL)
		return set_bool(field, value);
	if (row->type == OPTION_STRING)
		return set_string(row, field, value);
	if (row->type == OPTION_LETTERS)
		return set_letters(row, field, value);
	if (row->type == OPTION_WORD)
		return set_word(row, field, value);
	if (row->type == OPTION_AMOUNT)
		return set_amount(field, value);
	return set_number(row, field, value);
}

/* jemalloc's older name for tcache_max, by its logarithm. */
static const char *set_lg_tcache_max(struct options *options, struct span value)
{
	int64_t lg;

	if (!parse_number(value, &lg))
		return "Invalid conf value";
	if (lg < 0 || lg > 62)
		lg = 62;
	options->tcache_max = (size_t)1 << lg;
	if (options->tcache_max > OPTION_TCACHE_MAX_BYTES)
		options->tcache_max = OPTION_TCACHE_MAX_BYTES;
	return NULL;
}

static const char *set_ignored(const struct pair *pair)
{
	for (unsigned i = 0; i < option_ignored_count; i++) {
		const struct option_ignored *row = &option_ignored_rows[i];

		if (!span_is(pair->key, row->key))
			continue;
		if (row->values[0] == '\0' ||
		    span_is_of(pair->value, row->values))
			return NULL;
		return "Unsupported conf value";
	}
	/* jemalloc's come and go without notice: none is an error. */
	if (pair->key.length > strlen(EXPERIMENTAL) &&
	    memcmp(pair->key.at, EXPERIMENTAL, strlen(EXPERIMENTAL)) == 0)
		return NULL;
	return "Invalid conf pair";
}

static const char *set_pair(struct options *options, const struct pair *pair)
{
	if (span_is(pair->key, "lg_tcache_max"))
		return set_lg_tcache_max(options, pair->value);
	for (unsigned i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (span_is(pair->key, option_key(row)))
			return set_option(options, row, pair->value);
	}
	return set_ignored(pair);
}

static bool apply_pair(struct options *options, const struct pair *pair,
		       enum conf_mode mode)
{
	const char *wrong = set_pair(options, pair);

	if (wrong && mode != CONF_QUIET)
		report_pair(wrong, pair);
	if (!wrong && mode == CONF_CONFIRM)
		report_pair("-- Set conf value", pair);
	return !wrong;
}

__attribute__((cold)) bool conf_apply(struct options *options, const char *text,
				      enum conf_mode mode)
{
	const char *wrong = NULL;
	bool good = true;

	while (*text != '\0' && !wrong) {
		struct pair pair;

		wrong = take_pair(&text, &pair);
		if (wrong)
			break;
		good &= apply_pair(options, &pair, mode);
		if (*text == ',' && *++text == '\0')
			wrong = "Conf string ends with comma";
	}
	if (wrong && mode != CONF_QUIET)
		message(wrong, NULL);
	return good && !wrong;
}
