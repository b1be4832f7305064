/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of one profile looked up among those of another.
 */
#include "config.h"

#include "libjeheap/profile/same_file.h"

#include "libjeheap/profile/index.h"

struct wanted {
	const struct object_file *files; /* to look among */
	const struct object_file *file;	 /* to look for */
};

struct file_tables {
	struct slots by_id, by_path;
};

static bool same_id(const void *data, uint32_t number)
{
	const struct wanted *wanted = data;

	return str_equal(wanted->files[number].build_id,
			 wanted->file->build_id);
}

static bool same_path(const void *data, uint32_t number)
{
	const struct wanted *wanted = data;
	const struct object_file *file = &wanted->files[number];

	return file->deleted == wanted->file->deleted &&
	       str_equal(file->path, wanted->file->path);
}

static void enter_all(const struct profile *in, struct arena *arena,
		      struct file_tables *tables)
{
	struct wanted wanted = {in->files, NULL};
	uint32_t i;

	for (i = 0; i < in->file_count; i++) {
		wanted.file = &in->files[i];
		if (wanted.file->build_id.len)
			slots_enter(&tables->by_id, arena,
				    str_hash(wanted.file->build_id), same_id,
				    &wanted, i);
		slots_enter(&tables->by_path, arena,
			    str_hash(wanted.file->path), same_path, &wanted, i);
	}
}

/* A file that was replaced while mapped is still what it was. */
static uint32_t find(const struct file_tables *tables, struct object_file file,
		     const struct profile *in)
{
	struct wanted wanted = {in->files, &file};
	uint64_t hash = str_hash(file.path);
	uint32_t found = NONE;

	if (file.build_id.len)
		found = slots_find(&tables->by_id, str_hash(file.build_id),
				   same_id, &wanted);
	if (found != NONE)
		return found;
	found = slots_find(&tables->by_path, hash, same_path, &wanted);
	if (found == NONE) {
		file.deleted = !file.deleted;
		found = slots_find(&tables->by_path, hash, same_path, &wanted);
	}
	if (found != NONE && file.build_id.len && in->files[found].build_id.len)
		return NONE;
	return found;
}

uint32_t *match_files(const struct profile *of, const struct profile *in,
		      struct arena *arena)
{
	uint32_t *same = ARENA_ARRAY(arena, of->file_count, uint32_t);
	struct file_tables tables = {0};
	size_t i;

	enter_all(in, arena, &tables);
	for (i = 0; i < of->file_count; i++)
		same[i] = find(&tables, of->files[i], in);
	return same;
}
