/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The build-id of the ELF file that liballoc is part of: the shared library,
 * or the program that it is linked into.
 */
#ifndef LIBALLOC_LEDGER_BUILD_ID_H
#define LIBALLOC_LEDGER_BUILD_ID_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copies the id into id, at most size bytes; returns its length, 0 where the
 * file has none. Takes no lock and calls nothing of the dynamic linker's.
 */
uint32_t build_id_own(uint8_t *id, size_t size);

/* The same from the notes in memory at [notes, notes + bytes). */
uint32_t build_id_in_notes(const uint8_t *notes, size_t bytes, uint8_t *id,
			   size_t size);

#endif
