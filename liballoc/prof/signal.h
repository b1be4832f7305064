/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt.prof_signal: a dump on a signal. The handler sets a bit of prof_wishes;
 * the dump is made by the next thread that comes by a slow path.
 */
#ifndef LIBALLOC_PROF_SIGNAL_H
#define LIBALLOC_PROF_SIGNAL_H

/*
 * At boot. A handler that the program has installed before stays, and one
 * that it installs later takes over.
 */
void signal_boot(void);

#endif
