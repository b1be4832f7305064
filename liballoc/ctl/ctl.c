/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mallctl: from a name or its numbers to a row of the tree, and the rules of
 * reading and writing that all controls share. Knows no control by name.
 */
#include "config.h"

#include "liballoc/ctl/ctl.h"

#include <errno.h>
#include <string.h>

#include "liballoc/ctl/options.h"
#include "liballoc/ctl/tree.h"

/* The next component of a name, and the rest after its dot (or NULL). */
struct component {
	const char *at;
	size_t length;
	const char *rest;
};

static struct component first_component(const char *name)
{
	struct component c = {.at = name, .length = strcspn(name, ".")};

	c.rest = name[c.length] == '.' ? name + c.length + 1 : NULL;
	return c;
}

static bool is_index(struct component c)
{
	return c.length > 0 && c.at[0] == '<';
}

static bool is_same(struct component a, struct component b)
{
	return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static bool parse_index(struct component c, size_t *index)
{
	size_t value = 0;

	if (c.length == 0 || c.length > 9)
		return false;
	for (size_t i = 0; i < c.length; i++) {
		if (c.at[i] < '0' || c.at[i] > '9')
			return false;
		value = value * 10 + (size_t)(c.at[i] - '0');
	}
	*index = value;
	return true;
}

/*
 * Does name, or all of it there is, go along with the row's name? Fills mib
 * with as many numbers as name has components, and says how many.
 */
static bool row_matches(const struct ctl_row *row, unsigned index,
			const char *name, size_t mib[CTL_MAX_DEPTH],
			unsigned *depth)
{
	const char *pattern = row->name;

	for (*depth = 0; pattern && name; (*depth)++) {
		struct component p = first_component(pattern);
		struct component n = first_component(name);

		mib[*depth] = index;
		if (is_index(p) ? !parse_index(n, &mib[*depth])
				: !is_same(p, n))
			return false;
		pattern = p.rest;
		name = n.rest;
	}
	return !name;
}

static bool find(const char *name, struct ctl_row *row,
		 size_t mib[CTL_MAX_DEPTH], unsigned *depth)
{
	for (unsigned i = 0; i < ctl_row_count(); i++) {
		ctl_row_at(i, row);
		if (row_matches(row, i, name, mib, depth))
			return ctl_indices_exist(row, mib, *depth);
	}
	return false;
}

unsigned ctl_row_depth(const struct ctl_row *row)
{
	unsigned depth = 1;

	for (const char *p = strchr(row->name, '.'); p; p = strchr(p + 1, '.'))
		depth++;
	return depth;
}

/*
 * Do the numbers name the row? Each that is no index is that of some row
 * which has the same name up to there.
 */
static bool mib_matches(const struct ctl_row *row, const size_t *mib)
{
	const char *pattern = row->name;
	unsigned count = ctl_row_count();

	for (; pattern; mib++) {
		struct component c = first_component(pattern);
		size_t head = (size_t)(c.at - row->name) + c.length;
		struct ctl_row other;

		pattern = c.rest;
		if (is_index(c))
			continue;
		if (*mib >= count)
			return false;
		ctl_row_at((unsigned)*mib, &other);
		if (strncmp(other.name, row->name, head) != 0 ||
		    (other.name[head] != '.' && other.name[head] != '\0'))
			return false;
	}
	return true;
}

static bool find_mib(const size_t *mib, size_t miblen, struct ctl_row *row)
{
	if (miblen == 0 || miblen > CTL_MAX_DEPTH ||
	    mib[miblen - 1] >= ctl_row_count())
		return false;
	ctl_row_at((unsigned)mib[miblen - 1], row);
	return ctl_row_depth(row) == miblen && mib_matches(row, mib) &&
	       ctl_indices_exist(row, mib, (unsigned)miblen);
}

static size_t type_bytes(enum ctl_type type)
{
	static const uint8_t bytes[] = {
		[CTL_VOID] = 0,
		[CTL_BOOL] = sizeof(bool),
		[CTL_UINT32] = sizeof(uint32_t),
		[CTL_UNSIGNED] = sizeof(unsigned),
		[CTL_UINT64] = sizeof(uint64_t),
		[CTL_SIZE] = sizeof(size_t),
		[CTL_SSIZE] = sizeof(ssize_t),
		[CTL_INT64] = sizeof(int64_t),
		[CTL_STRING] = sizeof(const char *),
		[CTL_POINTER] = sizeof(void *),
	};

	return bytes[type];
}

/* The machines we run on are little-endian: the low bytes come first. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "values are copied as the first bytes of a word");

int ctl_take_value(const struct ctl_request *r, void *value, size_t bytes)
{
	if (!r->newp)
		return 0;
	if (r->newlen != bytes)
		return EINVAL;
	memcpy(value, r->newp, bytes);
	return 0;
}

int ctl_give_value(const struct ctl_request *r, const void *value, size_t bytes)
{
	int error;

	if (!r->oldp || !r->oldlenp)
		return 0;
	error = *r->oldlenp == bytes ? 0 : EINVAL;
	if (*r->oldlenp > bytes)
		*r->oldlenp = bytes;
	memcpy(r->oldp, value, *r->oldlenp);
	return error;
}

int ctl_must_read(const struct ctl_request *r, size_t bytes)
{
	if (r->oldp && r->oldlenp && *r->oldlenp == bytes)
		return 0;
	if (r->oldlenp)
		*r->oldlenp = 0;
	return EINVAL;
}

static int check_access(const struct ctl_row *row, const struct ctl_request *r)
{
	bool reads = r->oldp || r->oldlenp;
	bool writes = r->newp || r->newlen > 0;

	if ((row->rules & CTL_NEEDS_PROF) && !opt.prof)
		return ENOENT;
	if ((row->rules & CTL_SET_PROF) && r->newp && !opt.prof)
		return ENOENT;
	if (row->rules & CTL_UNCHECKED)
		return 0;
	if (row->type == CTL_VOID && writes)
		return EPERM;
	if ((!row->set && writes) || (!row->get && reads))
		return EPERM;
	if ((row->rules & CTL_EITHER) && reads && writes)
		return EPERM;
	return 0;
}

static int check_lengths(const struct ctl_row *row, const struct ctl_request *r)
{
	size_t bytes = type_bytes(row->type);

	if ((row->rules & CTL_MUST_WRITE) && !r->newp)
		return EINVAL;
	if (r->newp && r->newlen != bytes && !(row->rules & CTL_UNCHECKED))
		return EINVAL;
	return row->rules & CTL_MUST_READ ? ctl_must_read(r, bytes) : 0;
}

/* The value that was given; false: none was. */
static bool take_word(const struct ctl_row *row, const struct ctl_request *r,
		      uint64_t *value)
{
	*value = 0;
	if (!r->newp || row->type == CTL_VOID)
		return false;
	memcpy(value, r->newp, r->newlen);
	if (row->type == CTL_BOOL)
		*value = *value != 0;
	else if (row->type == CTL_SSIZE)
		*value = (uint64_t)(ssize_t)*value;
	return true;
}

/* Is there anything to set: a value, or an effect without one? */
static bool wants_set(const struct ctl_row *row, const struct ctl_request *r)
{
	return row->set && (r->newp || !row->get);
}

static int exchange(const struct ctl_call *call, const struct ctl_request *r)
{
	uint64_t value;
	int error;

	if (!r->newp || r->newlen != sizeof(void *))
		return EINVAL;
	memcpy(&value, r->newp, sizeof(value));
	error = call->row->exchange(call, &value);
	if (!error)
		error = ctl_give_value(r, &value, type_bytes(call->row->type));
	return error;
}

static int give(const struct ctl_call *call, const struct ctl_request *r,
		uint64_t value)
{
	return ctl_give_value(r, &value, type_bytes(call->row->type));
}

/* A control that can be read, or written, or both. */
static int read_and_write(const struct ctl_call *call,
			  const struct ctl_request *r)
{
	const struct ctl_row *row = call->row;
	bool reads = row->get && r->oldp && r->oldlenp;
	bool get_last = row->rules & CTL_READ_LAST;
	bool give_last = row->rules & (CTL_READ_LAST | CTL_GIVE_LAST);
	uint64_t value = 0, wanted;
	int error = 0;
	/* First, since it may lie where the old one goes. */
	bool given = take_word(row, r, &wanted);

	if (reads && !get_last)
		error = row->get(call, &value);
	if (!error && reads && !give_last)
		error = give(call, r, value);
	if (!error && wants_set(row, r))
		error = row->set(call, given ? &wanted : NULL);
	if (!error && reads && get_last)
		error = row->get(call, &value);
	if (!error && reads && give_last)
		error = give(call, r, value);
	return error;
}

static int access_row(const struct ctl_call *call, const struct ctl_request *r)
{
	const struct ctl_row *row = call->row;
	int error;

	if (row->io)
		return row->io(call, r);
	if (row->exchange)
		return exchange(call, r);
	error = check_access(row, r);
	if (!error)
		error = check_lengths(row, r);
	return error ? error : read_and_write(call, r);
}

int ctl_byname(const char *name, void *oldp, size_t *oldlenp, void *newp,
	       size_t newlen)
{
	const struct ctl_request r = {oldp, oldlenp, newp, newlen};
	size_t mib[CTL_MAX_DEPTH];
	struct ctl_row row;
	unsigned depth;

	if (!find(name, &row, mib, &depth) || ctl_row_depth(&row) != depth)
		return ENOENT;
	return access_row(&(struct ctl_call){&row, mib}, &r);
}

int ctl_bymib(const size_t *mib, size_t miblen, void *oldp, size_t *oldlenp,
	      void *newp, size_t newlen)
{
	const struct ctl_request r = {oldp, oldlenp, newp, newlen};
	struct ctl_row row;

	if (!find_mib(mib, miblen, &row))
		return ENOENT;
	return access_row(&(struct ctl_call){&row, mib}, &r);
}

int ctl_nametomib(const char *name, size_t *mib, size_t *miblenp)
{
	size_t whole[CTL_MAX_DEPTH];
	struct ctl_row row;
	unsigned depth;

	if (!find(name, &row, whole, &depth))
		return ENOENT;
	if (*miblenp > depth)
		*miblenp = depth;
	memcpy(mib, whole, *miblenp * sizeof(*mib));
	return 0;
}
