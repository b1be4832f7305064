/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The libraries of the packed formats behind one interface, a row of a table
 * each. Knows where their data begin and end; never what is in them.
 */
#include "config.h"

#include "libjeheap/base/unpack.h"

#include <errno.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "libjeheap/base/arena.h"

#define INPUT_BYTES ((size_t)64 << 10)
/* zlib counts in unsigned int. */
#define STEP_MAX_BYTES ((size_t)1 << 30)

enum step {
	STEP_MORE, /* of the input, or room, is wanted */
	STEP_END,  /* of a frame, which may be the last */
	STEP_BAD,
};

/* What is left of the input, and the room that is left for output. */
struct spans {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
	bool is_last; /* no input follows */
	const char *why;
};

struct format {
	const char *name;
	struct str magic;
	void *(*begin)(void);
	enum step (*step)(void *state, struct spans *s);
	void (*end)(void *state);
};

struct unpack {
	const struct format *format;
	void *state;
	const char *name;
	int fd; /* -1: all input is there */
	uint64_t offset;
	const uint8_t *in;
	size_t in_left;
	bool is_last;	/* no more can be read */
	bool is_at_end; /* of a frame */
	uint8_t buffer[INPUT_BYTES];
};

static void *checked(void *state)
{
	if (!state)
		out_of_memory();
	return state;
}

static void advance(struct spans *s, size_t in, size_t out)
{
	s->in += in;
	s->in_left -= in;
	s->out += out;
	s->out_left -= out;
}

static size_t at_most(size_t n)
{
	return n < STEP_MAX_BYTES ? n : STEP_MAX_BYTES;
}

#define GZIP_FIRST_BYTE 0x1f

struct gzip {
	z_stream stream;
	bool is_at_end;
};

static void *gzip_begin(void)
{
	struct gzip *g = checked(calloc(1, sizeof(*g)));

	if (inflateInit2(&g->stream, 15 + 16) != Z_OK)
		out_of_memory();
	return g;
}

/* Tapes and block devices pad with zeros. */
static void skip_zeros(struct spans *s)
{
	while (s->in_left && *s->in == 0)
		advance(s, 1, 0);
}

static enum step gzip_step(void *state, struct spans *s)
{
	struct gzip *g = state;
	z_stream *z = &g->stream;
	size_t in = at_most(s->in_left), out = at_most(s->out_left);
	int status;

	if (g->is_at_end) {
		skip_zeros(s);
		if (!s->in_left)
			return STEP_END;
		s->why = "something else follows";
		if (*s->in != GZIP_FIRST_BYTE)
			return STEP_BAD;
		in = at_most(s->in_left);
		g->is_at_end = inflateReset(z) != Z_OK;
	}
	z->next_in = (z_const Bytef *)(uintptr_t)s->in;
	z->avail_in = (uInt)in;
	z->next_out = s->out;
	z->avail_out = (uInt)out;
	status = inflate(z, Z_NO_FLUSH);
	advance(s, in - z->avail_in, out - z->avail_out);
	if (status == Z_MEM_ERROR)
		out_of_memory();
	g->is_at_end = status == Z_STREAM_END;
	if (g->is_at_end)
		return STEP_END;
	s->why = z->msg ? z->msg : "unexpected data";
	return status == Z_OK || status == Z_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

static void gzip_end(void *state)
{
	struct gzip *g = state;

	inflateEnd(&g->stream);
	free(g);
}

static void *zstd_begin(void)
{
	return checked(ZSTD_createDStream());
}

/* Its window is 128 MiB at most, unless a greater one were allowed. */
static enum step zstd_step(void *state, struct spans *s)
{
	ZSTD_inBuffer in = {s->in, s->in_left, 0};
	ZSTD_outBuffer out = {s->out, s->out_left, 0};
	size_t left = ZSTD_decompressStream(state, &out, &in);

	if (ZSTD_isError(left)) {
		s->why = ZSTD_getErrorName(left);
		return STEP_BAD;
	}
	advance(s, in.pos, out.pos);
	return left ? STEP_MORE : STEP_END;
}

static void zstd_end(void *state)
{
	ZSTD_freeDStream(state);
}

static void *xz_begin(void)
{
	lzma_stream *x = checked(malloc(sizeof(*x)));

	*x = (lzma_stream)LZMA_STREAM_INIT;
	if (lzma_stream_decoder(x, UNPACK_MEMORY_BYTES, LZMA_CONCATENATED) !=
	    LZMA_OK)
		out_of_memory();
	return x;
}

static const char *xz_error(lzma_ret status)
{
	switch (status) {
	case LZMA_MEMLIMIT_ERROR:
		return "they want more than 256 MiB of memory to be unpacked";
	case LZMA_OPTIONS_ERROR:
		return "packed in a way that is unknown here";
	case LZMA_FORMAT_ERROR:
		return "something else follows";
	default:
		return "unexpected data";
	}
}

_Static_assert(UNPACK_MEMORY_BYTES == (uint64_t)256 << 20,
	       "the message tells how much");

/* It wants to be told that no input follows: then it says that it is done. */
static enum step xz_step(void *state, struct spans *s)
{
	lzma_stream *x = state;
	lzma_ret status;

	x->next_in = s->in;
	x->avail_in = s->in_left;
	x->next_out = s->out;
	x->avail_out = s->out_left;
	status = lzma_code(x, s->is_last ? LZMA_FINISH : LZMA_RUN);
	advance(s, s->in_left - x->avail_in, s->out_left - x->avail_out);
	if (status == LZMA_MEM_ERROR)
		out_of_memory();
	if (status == LZMA_STREAM_END)
		return STEP_END;
	s->why = xz_error(status);
	return status == LZMA_OK || status == LZMA_BUF_ERROR ? STEP_MORE
							     : STEP_BAD;
}

static void xz_end(void *state)
{
	lzma_end(state);
	free(state);
}

static void *lz4_begin(void)
{
	LZ4F_dctx *context = NULL;

	if (LZ4F_isError(
		    LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		out_of_memory();
	return context;
}

/* Its blocks are of 4 MiB at most. */
static enum step lz4_step(void *state, struct spans *s)
{
	size_t in = s->in_left, out = s->out_left;
	size_t left = LZ4F_decompress(state, s->out, &out, s->in, &in, NULL);

	if (LZ4F_isError(left)) {
		s->why = LZ4F_getErrorName(left);
		return STEP_BAD;
	}
	advance(s, in, out);
	return left ? STEP_MORE : STEP_END;
}

static void lz4_end(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

static const struct format formats[] = {
	{"gzip", {"\x1f\x8b", 2}, gzip_begin, gzip_step, gzip_end},
	{"zstd", {"\x28\xb5\x2f\xfd", 4}, zstd_begin, zstd_step, zstd_end},
	{"xz", {"\xfd\x37zXZ\0", 6}, xz_begin, xz_step, xz_end},
	{"lz4", {"\x04\x22\x4d\x18", 4}, lz4_begin, lz4_step, lz4_end},
};

static const struct format *find_format(struct str start)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (str_starts_with(start, formats[i].magic))
			return &formats[i];
	return NULL;
}

struct unpack *unpack_bytes(struct str packed, const char *name)
{
	const struct format *format = find_format(packed);
	struct unpack *u;

	if (!format)
		return NULL;
	u = checked(malloc(sizeof(*u)));
	u->format = format;
	u->state = format->begin();
	u->name = name;
	u->fd = -1;
	u->offset = 0;
	u->in = (const uint8_t *)packed.ptr;
	u->in_left = packed.len;
	u->is_last = true;
	u->is_at_end = false;
	return u;
}

struct unpack *unpack_file(int fd, const char *name)
{
	char start[8];
	ssize_t n = pread(fd, start, sizeof(start), 0);
	struct unpack *u =
		unpack_bytes((struct str){start, n > 0 ? (size_t)n : 0}, name);

	if (u) {
		u->fd = fd;
		u->in_left = 0;
		u->is_last = false;
	}
	return u;
}

static bool refill(struct unpack *u, struct diag *diag)
{
	ssize_t n;

	if (u->in_left || u->is_last)
		return true;
	do {
		n = pread(u->fd, u->buffer, sizeof(u->buffer),
			  (off_t)u->offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return diag_errno(diag, "cannot read %s", u->name);
	u->in = u->buffer;
	u->in_left = (size_t)n;
	u->offset += (size_t)n;
	u->is_last = n == 0;
	return true;
}

static bool damaged(const struct unpack *u, const char *why, struct diag *diag)
{
	return diag_set(diag, "%s: the %s data are damaged: %s", u->name,
			u->format->name, why);
}

static bool step(struct unpack *u, struct spans *s, struct diag *diag)
{
	size_t out_left = s->out_left;
	enum step step;

	s->in = u->in;
	s->in_left = u->in_left;
	s->is_last = u->is_last;
	step = u->format->step(u->state, s);
	if (step == STEP_BAD)
		return damaged(u, s->why, diag);
	u->is_at_end = step == STEP_END;
	if (!u->is_at_end && s->out_left == out_left &&
	    s->in_left == u->in_left) {
		if (s->in_left)
			return damaged(u, "unexpected data", diag);
		if (s->is_last)
			return diag_set(diag,
					"%s: the %s data end too early; the "
					"file is truncated: copy it again",
					u->name, u->format->name);
	}
	u->in = s->in;
	u->in_left = s->in_left;
	return true;
}

bool unpack_read(struct unpack *u, void *buffer, size_t size, size_t *got,
		 struct diag *diag)
{
	struct spans s = {.out = buffer, .out_left = size};
	bool good = true;

	while (good && s.out_left) {
		good = refill(u, diag);
		if (u->is_last && !u->in_left && u->is_at_end)
			break;
		good = good && step(u, &s, diag);
	}
	*got = size - s.out_left;
	return good;
}

void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	u->format->end(u->state);
	free(u);
}
