/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protobuf wire format, as far as profile.proto uses it. Private to
 * libjeheap/profile. Source: protobuf.dev/programming-guides/encoding.
 */
#ifndef LIBJEHEAP_PROFILE_PROTOBUF_H
#define LIBJEHEAP_PROFILE_PROTOBUF_H

#include <stdbool.h>
#include <stdint.h>

#include "libjeheap/base/cursor.h"
#include "libjeheap/base/str.h"

enum proto_wire {
	PROTO_VARINT = 0,
	PROTO_FIXED64 = 1,
	PROTO_BYTES = 2,
	PROTO_FIXED32 = 5,
};

struct proto_field {
	uint32_t number;
	unsigned wire;
	uint64_t value;	     /* of a number */
	struct cursor bytes; /* of the others; offsets are the whole input's */
	bool taken;	     /* proto_packed() has given the number */
};

/* The next field of a message; false at its end or at an error. */
bool proto_next(struct cursor *c, struct proto_field *field);
/* The field's bytes as a string. */
struct str proto_str(const struct proto_field *field);
/* The numbers of a repeated field, packed or not, one a call. */
bool proto_packed(struct proto_field *field, uint64_t *value);

/* Writing. Zeroes and empty strings are the defaults, and left out. */
void proto_put_varint(struct text *out, uint64_t value);
void proto_put_uint(struct text *out, uint32_t number, uint64_t value);
void proto_put_bytes(struct text *out, uint32_t number, struct str bytes);
/* The same, where an empty one counts: an element of a repeated field. */
void proto_put_element(struct text *out, uint32_t number, struct str bytes);

/*
 * Fields of message Profile.
 * Source: github.com/google/pprof, proto/profile.proto.
 */
enum pprof_field {
	PPROF_SAMPLE_TYPE = 1,
	PPROF_SAMPLE = 2,
	PPROF_MAPPING = 3,
	PPROF_LOCATION = 4,
	PPROF_FUNCTION = 5,
	PPROF_STRING_TABLE = 6,
	PPROF_TIME_NANOS = 9,
	PPROF_DURATION_NANOS = 10,
	PPROF_PERIOD_TYPE = 11,
	PPROF_PERIOD = 12,
	PPROF_COMMENT = 13,
	PPROF_DEFAULT_SAMPLE_TYPE = 14,
	PPROF_FIELDS
};

/*
 * The comment by which a profile.proto of ours says that its label "bytes" is
 * no true size, so that variances made from it are approximate.
 */
extern const char *const mean_sizes_comment;
/* What the comment begins with that tells of which process a profile is. */
extern const char *const process_comment;

#endif
