/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzz target is one function that survives any bytes. libFuzzer calls it
 * in the programs of --enable-fuzz; replay.c calls it with the files of
 * fuzz/corpus/NAME in make check.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
