/* SPDX-License-Identifier: BSD-2-Clause */
/* The cursor over call frame information. */
#include "config.h"

#include "liballoc/prof/unwind/reader.h"

static bool have(struct reader *reader, uint64_t bytes)
{
	if (reader->bad || bytes > (uint64_t)(reader->end - reader->at))
		reader->bad = true;
	return !reader->bad;
}

void read_skip(struct reader *reader, uint64_t bytes)
{
	if (have(reader, bytes))
		reader->at += bytes;
}

uint64_t read_unsigned(struct reader *reader, unsigned bytes)
{
	const uint8_t *at = reader->at;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	if (!have(reader, bytes))
		return 0;
	reader->at += bytes;
	switch (bytes) {
	case 1:
		return *at;
	case 2:
		memcpy(&two, at, sizeof(two));
		return two;
	case 4:
		memcpy(&four, at, sizeof(four));
		return four;
	default:
		memcpy(&eight, at, sizeof(eight));
		return eight;
	}
}

int64_t read_signed(struct reader *reader, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (int64_t)(read_unsigned(reader, bytes) << shift) >> shift;
}

uint64_t read_long_uleb(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint64_t byte = read_byte(reader);

		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
}

int64_t read_sleb(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint64_t byte = read_byte(reader);

		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift + 7 < 64)
			value |= ~UINT64_C(0) << (shift + 7);
		return (int64_t)value;
	}
}

static uint64_t read_encoded(struct reader *reader, uint8_t format)
{
	switch (format) {
	case ENCODING_ABSOLUTE:
	case ENCODING_U8:
	case ENCODING_S8:
		return read_unsigned(reader, 8);
	case ENCODING_ULEB:
		return read_uleb(reader);
	case ENCODING_SLEB:
		return (uint64_t)read_sleb(reader);
	case ENCODING_U2:
		return read_unsigned(reader, 2);
	case ENCODING_S2:
		return (uint64_t)read_signed(reader, 2);
	case ENCODING_U4:
		return read_unsigned(reader, 4);
	case ENCODING_S4:
		return (uint64_t)read_signed(reader, 4);
	default:
		reader->bad = true;
		return 0;
	}
}

uint64_t read_pointer(struct reader *reader, uint8_t encoding,
		      uint64_t data_base)
{
	uint64_t place, value;

	if (encoding == ENCODING_OMITTED)
		return 0;
	if (encoding == ENCODING_ALIGNED) {
		read_skip(reader, -(uintptr_t)reader->at & 7);
		return read_unsigned(reader, 8);
	}
	place = (uintptr_t)reader->at;
	value = read_encoded(reader, encoding & 0x0f);
	if (value == 0)
		return 0;
	switch (encoding & 0x70) {
	case 0:
		return value;
	case ENCODING_PC_RELATIVE:
		return place + value;
	case ENCODING_DATA_RELATIVE:
		return data_base + value;
	default:
		reader->bad = true;
		return 0;
	}
}
