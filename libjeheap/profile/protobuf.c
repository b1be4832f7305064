/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tags, varints and lengths. Knows no message.
 */
#include "config.h"

#include "libjeheap/profile/protobuf.h"

static struct cursor part_of(struct cursor *c, uint64_t size)
{
	struct cursor part = *c;

	if (size > cursor_left(c)) {
		cursor_fail(c,
			    "a field of %ju bytes where %zu are left; the "
			    "file is truncated or damaged",
			    (uintmax_t)size, cursor_left(c));
		part.end = part.next;
		return part;
	}
	part.end = part.next + size;
	c->next += size;
	return part;
}

bool proto_next(struct cursor *c, struct proto_field *field)
{
	uint64_t tag;

	if (cursor_left(c) == 0)
		return false;
	tag = cursor_varint(c);
	*field = (struct proto_field){.number = (uint32_t)(tag >> 3),
				      .wire = tag & 7};
	if (!c->failed && (tag >> 3 == 0 || tag >> 3 > (1u << 29)))
		return cursor_fail(c,
				   "no protobuf field has number %ju; the "
				   "file is damaged",
				   (uintmax_t)(tag >> 3));
	switch (field->wire) {
	case PROTO_VARINT:
		field->value = cursor_varint(c);
		break;
	case PROTO_FIXED64:
		field->value = cursor_u64(c);
		break;
	case PROTO_BYTES:
		field->bytes = part_of(c, cursor_varint(c));
		break;
	case PROTO_FIXED32:
		field->value = cursor_u32(c);
		break;
	default:
		cursor_fail(c,
			    "no protobuf field has wire type %u; the file "
			    "is damaged",
			    field->wire);
	}
	return !c->failed;
}

struct str proto_str(const struct proto_field *field)
{
	if (field->wire != PROTO_BYTES)
		return (struct str){0};
	return (struct str){(const char *)field->bytes.next,
			    cursor_left(&field->bytes)};
}

bool proto_packed(struct proto_field *field, uint64_t *value)
{
	if (field->wire == PROTO_BYTES) {
		if (cursor_left(&field->bytes) == 0)
			return false;
		*value = cursor_varint(&field->bytes);
		return !field->bytes.failed;
	}
	*value = field->value;
	if (field->taken)
		return false;
	return field->taken = true;
}

void proto_put_varint(struct text *out, uint64_t value)
{
	char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	text_add(out, (struct str){bytes, n});
}

void proto_put_uint(struct text *out, uint32_t number, uint64_t value)
{
	if (!value)
		return;
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_VARINT);
	proto_put_varint(out, value);
}

void proto_put_element(struct text *out, uint32_t number, struct str bytes)
{
	proto_put_varint(out, (uint64_t)number << 3 | PROTO_BYTES);
	proto_put_varint(out, bytes.len);
	text_add(out, bytes);
}

void proto_put_bytes(struct text *out, uint32_t number, struct str bytes)
{
	if (bytes.len)
		proto_put_element(out, number, bytes);
}
