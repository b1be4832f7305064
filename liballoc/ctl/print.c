/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats text on the stack and hands it to a callback or to stderr. Owns
 * malloc_message. Never allocates, never touches stdio or the locale.
 */
#include "config.h"

#include "liballoc/ctl/print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "liballoc/ctl/options.h"
#include "liballoc/heap/os.h"
#include "liballoc/include/liballoc/liballoc.h"

__attribute__((visibility("default"),
	       weak)) void (*malloc_message)(void *cbopaque,
					     const char *s) = NULL;

static void write_stderr(void *opaque, const char *text)
{
	size_t left = strlen(text);

	(void)opaque;
	while (left > 0) {
		ssize_t n = os_write(STDERR_FILENO, text, left);

		if (n <= 0)
			return;
		text += n;
		left -= (size_t)n;
	}
}

void print_start(struct print *out, void (*write_cb)(void *, const char *),
		 void *opaque)
{
	if (!write_cb)
		write_cb = malloc_message;
	out->write = write_cb ? write_cb : write_stderr;
	out->opaque = opaque;
	out->length = 0;
}

void print_end(struct print *out)
{
	int saved = errno;

	if (out->length == 0)
		return;
	out->text[out->length] = '\0';
	out->length = 0;
	out->write(out->opaque, out->text);
	errno = saved;
}

static void print_char(struct print *out, char c)
{
	if (out->length == sizeof(out->text) - 1)
		print_end(out);
	out->text[out->length++] = c;
}

void print_bytes(struct print *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		print_char(out, bytes[i]);
}

void print_masked(struct print *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		print_char(out, c < ' ' || c == 0x7f ? '?' : bytes[i]);
	}
}

void print_text(struct print *out, const char *text)
{
	print_bytes(out, text, strlen(text));
}

const char *print_number(char buffer[PRINT_NUMBER_BYTES], uint64_t value)
{
	char *p = buffer + PRINT_NUMBER_BYTES - 1;

	*p = '\0';
	do
		*--p = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	return p;
}

void print_unsigned(struct print *out, uint64_t value)
{
	char buffer[PRINT_NUMBER_BYTES];

	print_text(out, print_number(buffer, value));
}

void print_hex(struct print *out, uint64_t value)
{
	int shift = value ? (63 - __builtin_clzll(value)) / 4 * 4 : 0;

	for (; shift >= 0; shift -= 4)
		print_char(out, "0123456789abcdef"[value >> shift & 15]);
}

void print_signed(struct print *out, int64_t value)
{
	if (value < 0)
		print_char(out, '-');
	print_unsigned(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void print_spaces(struct print *out, size_t used, size_t width)
{
	for (; used < width; used++)
		print_char(out, ' ');
}

void print_left(struct print *out, const char *text, size_t width)
{
	print_text(out, text);
	print_spaces(out, strlen(text), width);
}

void print_right(struct print *out, const char *text, size_t width)
{
	print_spaces(out, strlen(text), width);
	print_text(out, text);
}

static void print_line(const char *text, va_list texts)
{
	struct print out;

	print_start(&out, NULL, NULL);
	print_text(&out, "<liballoc>: ");
	for (; text; text = va_arg(texts, const char *))
		print_text(&out, text);
	print_text(&out, "\n");
	print_end(&out);
}

void message(const char *text, ...)
{
	va_list texts;

	va_start(texts, text);
	print_line(text, texts);
	va_end(texts);
}

void warning(const char *text, ...)
{
	va_list texts;

	va_start(texts, text);
	print_line(text, texts);
	va_end(texts);
	if (opt.abort)
		abort();
}

void fatal(const char *text, ...)
{
	va_list texts;

	va_start(texts, text);
	print_line(text, texts);
	va_end(texts);
	abort();
}
