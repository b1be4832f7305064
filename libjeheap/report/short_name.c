/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shortens demangled names in one pass over brackets, operators and spaces.
 * Knows the look of names only, not the grammar of a language.
 */
#include "config.h"

#include "libjeheap/report/short_name.h"

#include <ctype.h>

#define ELLIPSIS "…"
#define MAX_DEPTH 200

struct shortener {
	struct text out;
	struct str in;
	size_t at;
	size_t name_start; /* in out: behind the last space at the top level */
	int depth;
};

static bool at_literal(const struct shortener *s, const char *text)
{
	struct str left = {s->in.ptr + s->at, s->in.len - s->at};

	return str_starts_with(left, str_of(text));
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80;
}

/* The offset behind the bracket that closes the one at s->at, or the end. */
static size_t behind_bracket(const struct shortener *s, char open, char close)
{
	size_t depth = 0;

	for (size_t i = s->at; i < s->in.len; i++) {
		bool arrow = close == '>' && i > 0 && s->in.ptr[i - 1] == '-';

		if (s->in.ptr[i] == open)
			depth++;
		else if (s->in.ptr[i] == close && !arrow && --depth == 0)
			return i + 1;
	}
	return s->in.len;
}

static void copy(struct shortener *s, size_t count)
{
	text_add(&s->out, (struct str){s->in.ptr + s->at, count});
	s->at += count;
}

/* The template arguments in "operator<< <char>". */
static void take_arguments_of_operator(struct shortener *s)
{
	s->at += at_literal(s, " <");
	if (!at_literal(s, "<"))
		return;
	s->at = behind_bracket(s, '<', '>');
	text_add(&s->out, STR("<" ELLIPSIS ">"));
}

/* "operator" and the symbol or type that it stands for. */
static void take_operator(struct shortener *s)
{
	static const char *const symbols[] = {
		"()", "[]", "->*", "->", "<=>", "<<=", ">>=", "<<",
		">>", "<=", ">=",  "<",	 ">",	"--",  "++"};

	copy(s, strlen("operator"));
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (at_literal(s, symbols[i])) {
			copy(s, strlen(symbols[i]));
			take_arguments_of_operator(s);
			return;
		}
	while (s->at < s->in.len && s->in.ptr[s->at] != '(' &&
	       s->in.ptr[s->at] != '<')
		copy(s, 1);
}

static void shorten(struct shortener *s, char close);

/* '<': template arguments go; "<T as Trait>" and "<impl T>" stay. */
static void take_angle(struct shortener *s)
{
	char before = s->out.len ? s->out.ptr[s->out.len - 1] : ' ';
	bool impl = at_literal(s, "<impl ");

	if (is_word(before) || (before == ':' && !impl && s->out.len > 1 &&
				!at_literal(s, "<<"))) {
		size_t end = behind_bracket(s, '<', '>');

		if (before == ':')
			s->out.len -= 2;
		text_add(&s->out, STR("<" ELLIPSIS ">"));
		s->at = end;
		return;
	}
	copy(s, 1);
	shorten(s, '>');
}

/* '(': parameters go, "(anonymous namespace)" and its like stay. */
static void take_parenthesis(struct shortener *s)
{
	size_t end = behind_bracket(s, '(', ')');

	if (at_literal(s, "(anonymous"))
		text_add(&s->out, STR("(anonymous)"));
	s->at = end;
	if (at_literal(s, " const"))
		s->at += strlen(" const");
}

static bool starts_operator(const struct shortener *s)
{
	return at_literal(s, "operator") &&
	       (s->at == 0 || !is_word(s->in.ptr[s->at - 1])) &&
	       (s->at + 8 >= s->in.len || !is_word(s->in.ptr[s->at + 8]));
}

/* Up to the closing bracket, or all where close is 0. */
static void shorten(struct shortener *s, char close)
{
	if (++s->depth > MAX_DEPTH)
		s->at = s->in.len;
	while (s->at < s->in.len) {
		char c = s->in.ptr[s->at];

		if (starts_operator(s)) {
			take_operator(s);
		} else if (c == '<') {
			take_angle(s);
		} else if (c == '(') {
			take_parenthesis(s);
		} else if (c == '{') {
			copy(s, 1);
			shorten(s, '}');
		} else if (at_literal(s, "[abi:") || at_literal(s, " [clone") ||
			   (c == '[' && at_literal(s, "[clone"))) {
			s->at += c == ' ';
			s->at = behind_bracket(s, '[', ']');
		} else {
			copy(s, 1);
			if (c == close)
				break;
			if (c == ' ' && s->depth == 1)
				s->name_start = s->out.len;
		}
	}
	s->depth--;
}

struct str short_name(struct arena *arena, struct str full)
{
	struct shortener s = {.out = {.arena = arena}, .in = full};
	struct str out;

	shorten(&s, 0);
	out = text_str(&s.out);
	if (s.name_start < out.len) {
		out.ptr += s.name_start;
		out.len -= s.name_start;
	}
	out = str_trim(out);
	return out.len ? out : full;
}

/* Up to and with the next "::". */
static size_t part_length(struct str name, size_t at)
{
	struct str left = {name.ptr + at, name.len - at};
	size_t end = str_find(left, STR("::"));

	return end == SIZE_MAX ? left.len : end + 2;
}

struct str wrap_name(struct arena *arena, struct str name, size_t width)
{
	struct text out = {.arena = arena};
	size_t line = 0;

	for (size_t i = 0; i < name.len; i++) {
		bool part = i > 1 && name.ptr[i - 1] == ':' &&
			    name.ptr[i - 2] == ':';
		bool char_start = ((unsigned char)name.ptr[i] & 0xc0) != 0x80;

		if ((part && line + part_length(name, i) > width) ||
		    (line >= 2 * width && char_start)) {
			text_add_char(&out, '\n');
			line = 0;
		}
		text_add_char(&out, name.ptr[i]);
		line++;
	}
	return text_str(&out);
}
