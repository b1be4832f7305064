/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at files: what is opened, read and closed at once, while the program
 * runs, to learn what the kernel tells nowhere else. A process that shuts
 * itself into a sandbox may be killed for one, so from then on there are none;
 * and a child that another thread forks meanwhile does not keep the file.
 */
#ifndef LIBALLOC_HEAP_LOOKS_H
#define LIBALLOC_HEAP_LOOKS_H

#include <stdbool.h>

/* As os_open(); -1 with EPERM where looks have ended. */
int look_open(const char *path);
/* Of what look_open() gave. */
void look_close(int fd);

/* Are there looks? Not once look_end() was called. */
bool look_may(void);
/* Ends them, in this process and its children, for good. */
void look_end(void);

/* Closes the files of other threads' looks, which are not here. */
void look_postfork_child(void);

#endif
