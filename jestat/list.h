/* SPDX-License-Identifier: BSD-2-Clause */
/* `jestat ps`: the processes on liballoc. */
#ifndef JESTAT_LIST_H
#define JESTAT_LIST_H

#include "jestat/print.h"

/* Prints the processes that this user may read; never fails for one alone. */
void print_processes(const struct print_options *options);

#endif
