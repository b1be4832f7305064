/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages: the first wins, and none carries control characters.
 */
#include "config.h"

#include "libjeheap/base/diag.h"

#include <errno.h>

#include "tap/tap.h"

static const char *masked(const char *text)
{
	static char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	mask_text(copy, strlen(copy));
	return copy;
}

int main(void)
{
	struct diag diag = {0};
	char long_text[3000];

	plan(15);
	ok(!diag_set(&diag, "x%d", 1), "diag_set is false");
	diag_set(&diag, "y");
	is_string(diag.text, "x1", "the first one wins");
	diag_clear(&diag);
	errno = ENOENT;
	diag_errno(&diag, "cannot open %s", "a\033[2Jb");
	is_string(diag.text, "cannot open a?[2Jb: No such file or directory",
		  "errno is told, escapes are masked");
	diag_clear(&diag);
	diag_at_line(&diag, "f", 7, "bad %s", "line");
	is_string(diag.text, "f:7: bad line", "a line");
	diag_clear(&diag);
	diag_at_offset(&diag, "f", 7, "bad");
	is_string(diag.text, "f: at byte 7: bad", "an offset");
	diag_clear(&diag);
	memset(long_text, 'a', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	diag_at_line(&diag, long_text, 1, "%s", long_text);
	is_uint(strlen(diag.text), sizeof(diag.text) - 1, "cut at the end");

	is_string(masked("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80"),
		  "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80", "UTF-8 stays");
	is_string(masked("a\nb\tc\x7f"), "a?b?c?", "control characters go");
	is_string(masked("\xc3"), "?", "a cut sequence goes");
	is_string(masked("\xc0\xaf"), "??", "an overlong one goes");
	is_string(masked("\xed\xa0\x80"), "???", "a surrogate goes");
	is_string(masked("\xc2\x9b"), "??", "a C1 control goes");
	is_string(masked("\xf4\x90\x80\x80"), "????", "beyond Unicode goes");
	is_string(masked("\xe2\x80\xae"), "???", "text direction goes");
	is_string(masked("\xff\xfe"), "??", "bytes of no UTF-8 go");
	return done_testing();
}
