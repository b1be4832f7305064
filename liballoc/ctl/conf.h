/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing of option strings, apart from where they come from. conf_boot()
 * (options.h) puts the two together.
 */
#ifndef LIBALLOC_CTL_CONF_H
#define LIBALLOC_CTL_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "liballoc/ctl/options.h"

#define CONF_FILE "/etc/malloc.conf"
#define CONF_FILE_BYTES 4096 /* what is read of it at most */

enum conf_mode {
	CONF_QUIET,   /* reports nothing */
	CONF_REPORT,  /* reports what is wrong */
	CONF_CONFIRM, /* and what was set */
};

/*
 * Applies text ("key:value,key:value"; the later wins) to options. Each
 * pair that is malformed, unknown or out of range is reported by message()
 * and leaves the option as it was; the pairs after it are still applied, but
 * for malformed text, whose rest cannot be told apart. Returns false where
 * anything was wrong.
 */
bool conf_apply(struct options *options, const char *text, enum conf_mode mode);

/*
 * The option string of path: the target of a symbolic link, or a file's
 * content, whose line ends stand for commas. Empty, with false, where there
 * is none; a file longer than CONF_FILE_BYTES - 1 is reported and not used.
 */
bool conf_read_file(const char *path, char text[CONF_FILE_BYTES]);

#endif
