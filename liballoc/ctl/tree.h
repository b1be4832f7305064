/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of controls, as flat tables of full names. A row says a control's
 * type and how it is read and set; ctl.c does what all have in common: names,
 * lengths, access.
 */
#ifndef LIBALLOC_CTL_TREE_H
#define LIBALLOC_CTL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctl_type {
	CTL_VOID, /* neither read nor written: it does something */
	CTL_BOOL,
	CTL_UINT32,
	CTL_UNSIGNED,
	CTL_UINT64,
	CTL_SIZE,
	CTL_SSIZE,
	CTL_INT64,
	CTL_STRING,  /* const char * */
	CTL_POINTER, /* void *, or to a counter */
};

/* Bits of ctl_row.rules. */
#define CTL_READ_LAST 1u   /* what is read is what holds after the write */
#define CTL_EITHER 2u	   /* read or written, not both at once */
#define CTL_MUST_READ 4u   /* has an effect, so its result must be taken */
#define CTL_MUST_WRITE 8u  /* EINVAL without a value */
#define CTL_NEEDS_PROF 16u /* ENOENT where opt.prof is off */
#define CTL_SET_PROF 32u   /* the same where it is to be set */
#define CTL_GIVE_LAST 512u /* written even where what is read does not fit */

#define CTL_READ_ONLY 128u  /* of what io does: it takes no value */
#define CTL_WRITE_ONLY 256u /* of what io does: it gives none */
#define CTL_UNCHECKED 64u   /* CTL_VOID: whatever is given is passed over */

struct ctl_row;

/* A call: the row, and the numbers that stand for its name's components. */
struct ctl_call {
	const struct ctl_row *row;
	const size_t *mib;
};

/*
 * A value as a word: a number (signed ones in two's complement) or a pointer.
 * Both return 0 or an errno. value is NULL where a write-only control was
 * given none, and for CTL_VOID.
 */
typedef int ctl_get(const struct ctl_call *call, uint64_t *value);
typedef int ctl_set(const struct ctl_call *call, const uint64_t *value);

/* What mallctl() was given. */
struct ctl_request {
	void *oldp;
	size_t *oldlenp;
	const void *newp;
	size_t newlen;
};

/* Does all itself, for values that are no word. 0 or an errno. */
typedef int ctl_io(const struct ctl_call *call, const struct ctl_request *r);

struct ctl_row {
	const char *name; /* indices are written <i>, <j> */
	enum ctl_type type;
	unsigned rules;
	ctl_get *get; /* NULL: cannot be read */
	ctl_set *set; /* NULL: cannot be written */
	/* Else: a pointer must be written, and what it becomes is read. */
	ctl_get *exchange;
	ctl_io *io;	    /* Else: this alone */
	const char *c_type; /* where type does not say what it is in C */
	/* What get and set of several rows tell them apart by: */
	const char *text; /* stats: the metric in the ledger */
	uint64_t number;
	const struct option_row *option;
};

/*
 * A table is code rather than data, whose pointers would have to be relocated
 * when a process starts: 28 KiB, in each. Its rows are numbered by
 * __COUNTER__, from FIRST_ROW of its file on; row_at() sets the row of an
 * index below count.
 */
struct ctl_table {
	void (*row_at)(unsigned index, struct ctl_row *row);
	unsigned count;
};
#define CTL_ROW(...)                                                           \
case __COUNTER__ - FIRST_ROW:                                                  \
 *row = (struct ctl_row){__VA_ARGS__};                                         \
 return

extern const struct ctl_table ctl_general_table; /* version, config, tcache */
extern const struct ctl_table ctl_thread_table;
extern const struct ctl_table ctl_arena_table;
extern const struct ctl_table ctl_made_arena_table; /* arenas one by one */
extern const struct ctl_table ctl_experimental_table;
extern const struct ctl_table ctl_prof_table;
extern const struct ctl_table ctl_stats_table;
extern const struct ctl_table ctl_mutex_table;

/* All rows, those of the options included, are [0, ctl_row_count()). */
unsigned ctl_row_count(void);
void ctl_row_at(unsigned index, struct ctl_row *row);

/* How many components the name has. */
unsigned ctl_row_depth(const struct ctl_row *row);
/* Do the indices in mib exist? mib has depth numbers. */
bool ctl_indices_exist(const struct ctl_row *row, const size_t *mib,
		       unsigned depth);

/*
 * For io: takes the value that was given, if any, and returns what is to be
 * read, if it is asked for; EINVAL where the length is not bytes. Where the
 * result must be taken, since the call has an effect: can it be?
 */
int ctl_take_value(const struct ctl_request *r, void *value, size_t bytes);
int ctl_give_value(const struct ctl_request *r, const void *value,
		   size_t bytes);
int ctl_must_read(const struct ctl_request *r, size_t bytes);

/* Getters that several tables share: the row's number, its text. */
int ctl_get_number(const struct ctl_call *call, uint64_t *value);
int ctl_get_text(const struct ctl_call *call, uint64_t *value);
uint64_t ctl_from_pointer(const void *pointer);

/*
 * Does the index of an arena stand for all of them? MALLCTL_ARENAS_ALL does,
 * and the number of arenas, its old name.
 */
bool ctl_is_all_arenas(size_t index);

#endif
