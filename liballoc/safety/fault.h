/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handler of SIGSEGV that reports faults on guarded objects. All others
 * go to the handler that was there before.
 */
#ifndef LIBALLOC_SAFETY_FAULT_H
#define LIBALLOC_SAFETY_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Installs it; runs on the alternate stack where the thread has one. */
void fault_boot(void);

/* What a fault at address means; false: it is no guarded object's. */
bool guard_explain(uintptr_t address, const char **what);

#endif
