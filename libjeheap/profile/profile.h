/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model in the middle: every reader produces a struct profile, every
 * report consumes one. Cross-references are indices into its arrays, so that
 * it can be copied, merged and sorted; NONE stands for no index.
 *
 * Addresses are normalised on reading: a location is the CALL SITE (the
 * return address minus 1; formats that carry it already are taken as they
 * are), kept as (file, offset in the file), which ASLR does not move.
 *
 * Values are estimates of the truth, already unsampled by the reader, each
 * with its variance, so that sums are plain sums (variances too).
 */
#ifndef LIBJEHEAP_PROFILE_PROFILE_H
#define LIBJEHEAP_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libjeheap/base/arena.h"
#include "libjeheap/base/str.h"

#define NONE UINT32_MAX

/* In pprof's order of sample types for a heap. */
enum sample_type {
	ALLOC_OBJECTS,
	ALLOC_SPACE,
	INUSE_OBJECTS,
	INUSE_SPACE,
	SAMPLE_TYPES
};

/* "alloc_objects" and so on, and "count" or "bytes". */
extern const char *const sample_type_names[SAMPLE_TYPES];
extern const char *const sample_type_units[SAMPLE_TYPES];

/* A file that was mapped: identity for matching across processes. */
struct object_file {
	struct str path;     /* as mapped, without " (deleted)" */
	struct str build_id; /* raw bytes; empty where unknown */
	bool deleted;	     /* was unlinked or replaced when mapped */
};

/* A line of /proc/PID/maps that has a path (or a pprof Mapping). */
struct mapping {
	uint64_t start, limit; /* [start, limit) in the process */
	uint64_t offset;       /* of start in the file */
	uint32_t file;	       /* in profile.files */
};

struct function {
	struct str name;	/* demangled, in full */
	struct str system_name; /* as in the symbol table */
	struct str filename;	/* empty: unknown */
	uint32_t start_line;	/* 0: unknown */
};

struct line {
	uint32_t function; /* in profile.functions */
	uint32_t line;	   /* 0: unknown */
	uint32_t column;
};

enum unresolved {
	RESOLVED,
	NO_MAPPING,	/* the address lies in no mapping that is known */
	NO_FILE,	/* the mapped file is not there any more */
	FILE_CHANGED,	/* another build-id than the profile says */
	NO_SYMBOLS,	/* stripped, and no debug file was found */
	NO_SYMBOL_HERE, /* symbols, but none covers the address */
	NOT_ELF,	/* the file is not ELF, or is damaged */
	NOT_TRIED,	/* symbolization has not run */
};

struct location {
	uint32_t mapping;    /* NONE: the address lies in no known mapping */
	uint32_t file;	     /* profile.mappings[mapping].file, or NONE */
	uint64_t address;    /* the call site in the process */
	uint64_t offset;     /* the call site in the file; address if no file */
	struct line *lines;  /* inlined frames, innermost first */
	uint32_t line_count; /* 0: unresolved */
	enum unresolved unresolved;
};

/* Locations, leaf first, in profile.frames[first .. first + count). */
struct stack {
	uint32_t first;
	uint32_t count;
};

struct thread_info {
	uint64_t uid;
	struct str name; /* empty: not named */
};

/* One estimated quantity. */
struct value {
	double total;
	double variance;
};

/*
 * What became of the sampled objects of a sample that were freed. words[i] is
 * how many lived for [2^(i + 12), 2^(i + 13)) ns; the first word has the
 * shorter ones too, the last one the longer ones. Their sum may be below
 * `freed`: what is missing is not known. Negative in a difference's base part.
 */
#define LIVES_WORDS 32
#define LIVES_LG_MIN 12

struct lives {
	double freed;
	double elsewhere; /* of these, by another thread than allocated them */
	double words[LIVES_WORDS];
};

/*
 * What one stack holds in blocks of one size, of one thread: the finest grain
 * the source has. value[INUSE_*] rest on inuse_samples sampled objects,
 * value[ALLOC_*] on alloc_samples; both negative in a difference's base part.
 */
struct sample {
	uint32_t stack;
	uint32_t thread;      /* in profile.threads; NONE: all together */
	uint64_t block_bytes; /* usable size, exact or mean; 0: unknown */
	struct value value[SAMPLE_TYPES];
	double inuse_samples;
	double alloc_samples;
	const struct lives *lives; /* the profile's; NULL: nothing is known */
};

struct profile_index;

struct profile {
	struct arena *arena;	     /* owns all below */
	struct profile_index *index; /* the builders' */
	struct str source; /* file name, or "process 1234": for titles */

	struct object_file *files;
	size_t file_count, file_capacity;
	struct mapping *mappings; /* by start */
	size_t mapping_count, mapping_capacity;
	struct function *functions;
	size_t function_count, function_capacity;
	struct location *locations;
	size_t location_count, location_capacity;
	uint32_t *frames;
	size_t frame_count, frame_capacity;
	struct stack *stacks;
	size_t stack_count, stack_capacity;
	struct thread_info *threads;
	size_t thread_count, thread_capacity;
	struct sample *samples;
	size_t sample_count, sample_capacity;

	uint64_t period_bytes;	/* mean bytes between samples; 1: exact */
	bool has_alloc;		/* false: prof_accum was off, or not recorded */
	bool exact_sizes;	/* variances come from true sample sizes */
	uint64_t time_ns;	/* since the epoch; 0: unknown */
	uint64_t start_time_ns; /* of the process; 0: unknown */
	uint64_t duration_ns;
	uint64_t peak_bytes; /* of a profile of the peak: what was in use then,
				as the heap counted it; 0: of another moment */
	int64_t pid;	     /* 0: unknown */
	struct str command;  /* its command line; empty: unknown */
	struct str *comments;
	size_t comment_count, comment_capacity;
	double dropped_samples, dropped_bytes; /* the profiler's own loss */
	/* Some samples may be missing or count twice: see ledger_view. */
	bool unsettled;
};

/* A new, empty profile whose arena is made with it. */
struct profile *profile_new(void);
void profile_free(struct profile *profile);

/*
 * Building, for readers; each returns the index. What is equal gets the same
 * index: files by path, build-id and deleted; locations by file and offset;
 * stacks by their locations; threads by uid (an empty name is filled in
 * later); functions by all their fields. Strings are copied. An index stays;
 * a pointer into an array moves with the next building.
 */
uint32_t profile_file(struct profile *profile, struct str path,
		      struct str build_id, bool deleted);
void profile_add_mapping(struct profile *profile, uint64_t start,
			 uint64_t limit, uint64_t offset, uint32_t file);
/* All mappings are there: sorts them. Before any location is made. */
void profile_seal_mappings(struct profile *profile);
uint32_t profile_location(struct profile *profile, uint64_t call_site);
uint32_t profile_stack(struct profile *profile, const uint32_t *locations,
		       size_t count);
uint32_t profile_thread(struct profile *profile, uint64_t uid, struct str name);
uint32_t profile_function(struct profile *profile, struct str name,
			  struct str system_name, struct str filename,
			  uint32_t start_line);
/* Adds a line to profile.comments. */
void profile_comment(struct profile *profile, struct str text);
/* Always a new one. The pointer holds until the next is added. */
struct sample *profile_add_sample(struct profile *profile, uint32_t stack,
				  uint32_t thread, uint64_t block_bytes);

/* Are all indices in range, all values finite, no variance negative? */
bool profile_is_valid(const struct profile *profile);

/* Adds up all samples. */
struct value profile_total(const struct profile *profile, enum sample_type t);

#endif
