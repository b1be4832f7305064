/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of what went wrong. Whatever comes from an input is masked here,
 * so that no file name or symbol can drive the user's terminal.
 */
#include "config.h"

#include "libjeheap/base/diag.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* The length of the valid UTF-8 sequence at s, or 0. Control codes: none. */
static size_t utf8_length(const uint8_t *s, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code;
	size_t n, i;

	if (*s < 0x80)
		return *s >= 0x20 && *s != 0x7f;
	if (*s >= 0xc2 && *s < 0xe0)
		n = 2;
	else if (*s >= 0xe0 && *s < 0xf0)
		n = 3;
	else if (*s >= 0xf0 && *s < 0xf5)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	code = *s & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || code < 0xa0 ||
	    (code >= 0xd800 && code < 0xe000) ||
	    (code >= 0x2028 && code <= 0x202e))
		return 0;
	return n;
}

void mask_text(char *text, size_t len)
{
	size_t i = 0, n;

	while (i < len) {
		n = utf8_length((const uint8_t *)text + i, len - i);
		if (!n)
			text[i] = '?';
		i += n + !n;
	}
}

/* Appends at *used, which never passes the end. */
__attribute__((format(printf, 3, 0))) static void
append(struct diag *diag, size_t *used, const char *format, va_list args)
{
	size_t left = sizeof(diag->text) - *used;
	int n = vsnprintf(diag->text + *used, left, format, args);

	if (n < 0)
		return;
	*used += (size_t)n < left ? (size_t)n : left - 1;
}

static void appendf(struct diag *diag, size_t *used, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void appendf(struct diag *diag, size_t *used, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(diag, used, format, args);
	va_end(args);
}

/* Sets "PREFIX FORMAT SUFFIX", unless a message is there. */
__attribute__((format(printf, 4, 0))) static bool
set(struct diag *diag, const char *prefix, const char *suffix,
    const char *format, va_list args)
{
	size_t used = 0;

	if (diag->set)
		return false;
	appendf(diag, &used, "%s", prefix);
	append(diag, &used, format, args);
	appendf(diag, &used, "%s", suffix);
	mask_text(diag->text, used);
	diag->set = true;
	return false;
}

bool diag_set(struct diag *diag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(diag, "", "", format, args);
	va_end(args);
	return false;
}

bool diag_errno(struct diag *diag, const char *format, ...)
{
	char why[256];
	va_list args;

	snprintf(why, sizeof(why), ": %s", strerror(errno));
	va_start(args, format);
	set(diag, "", why, format, args);
	va_end(args);
	return false;
}

bool diag_at_line(struct diag *diag, const char *file, size_t line,
		  const char *format, ...)
{
	char where[sizeof(diag->text)];
	va_list args;

	snprintf(where, sizeof(where), "%s:%zu: ", file, line);
	va_start(args, format);
	set(diag, where, "", format, args);
	va_end(args);
	return false;
}

bool diag_at_offset(struct diag *diag, const char *file, size_t offset,
		    const char *format, ...)
{
	char where[sizeof(diag->text)];
	va_list args;

	snprintf(where, sizeof(where), "%s: at byte %zu: ", file, offset);
	va_start(args, format);
	set(diag, where, "", format, args);
	va_end(args);
	return false;
}

void diag_clear(struct diag *diag)
{
	diag->set = false;
	diag->text[0] = '\0';
}

void diag_print(const char *program, const struct diag *diag)
{
	fprintf(stderr, "%s: %s\n", program, diag->text);
}

void warn(const char *program, const char *format, ...)
{
	struct diag diag = {0};
	va_list args;

	va_start(args, format);
	set(&diag, "warning: ", "", format, args);
	va_end(args);
	diag_print(program, &diag);
}
