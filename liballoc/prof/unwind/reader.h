/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads call frame information: a cursor with a sticky error that never
 * leaves [at, end). Encodings: DWARF 5 section 7.6, LSB Core 10.5.1.
 */
#ifndef LIBALLOC_PROF_UNWIND_READER_H
#define LIBALLOC_PROF_UNWIND_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *at, *end;
	bool bad; /* ran out, once; what is read from then on is no good */
};

/* Pointer encodings, DW_EH_PE_*. */
enum {
	ENCODING_ABSOLUTE = 0x00,
	ENCODING_ULEB = 0x01,
	ENCODING_U2 = 0x02,
	ENCODING_U4 = 0x03,
	ENCODING_U8 = 0x04,
	ENCODING_SLEB = 0x09,
	ENCODING_S2 = 0x0a,
	ENCODING_S4 = 0x0b,
	ENCODING_S8 = 0x0c,
	ENCODING_PC_RELATIVE = 0x10,
	ENCODING_DATA_RELATIVE = 0x30,
	ENCODING_ALIGNED = 0x50,
	ENCODING_INDIRECT = 0x80,
	ENCODING_OMITTED = 0xff,
};

/* bytes: 1, 2, 4 or 8. */
uint64_t read_unsigned(struct reader *reader, unsigned bytes);
int64_t read_signed(struct reader *reader, unsigned bytes);
uint64_t read_long_uleb(struct reader *reader);
int64_t read_sleb(struct reader *reader);
void read_skip(struct reader *reader, uint64_t bytes);
/*
 * A pointer of the given encoding; data_base: what DATA_RELATIVE is relative
 * to. An indirect pointer is not followed: its place is returned.
 */
uint64_t read_pointer(struct reader *reader, uint8_t encoding,
		      uint64_t data_base);

/* Inline, since instructions are bytes, and most numbers fit in one. */
static inline uint8_t read_byte(struct reader *reader)
{
	if (reader->at >= reader->end) {
		reader->bad = true;
		return 0;
	}
	return *reader->at++;
}

static inline uint64_t read_uleb(struct reader *reader)
{
	if (reader->at < reader->end && *reader->at < 0x80)
		return *reader->at++;
	return read_long_uleb(reader);
}

#endif
