/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core_seed FOLDER: writes core files as seeds for core_reader: the image that
 * is made by hand for unit tests, in its variants.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/target/core_image.h"

static void plain(struct core_image *image)
{
	core_image_fill(image);
}

/* The mapping begins before the ledger, so that its start tells nothing. */
static void hide(struct core_image *image)
{
	image->segments[1].p_vaddr -= CORE_IMAGE_PAGE;
	image->segments[1].p_offset -= CORE_IMAGE_PAGE;
	image->segments[1].p_filesz += CORE_IMAGE_PAGE;
}

static void by_note(struct core_image *image)
{
	core_image_fill(image);
	core_image_add_program(image, true);
	hide(image);
}

static void by_symbol(struct core_image *image)
{
	core_image_fill(image);
	core_image_add_program(image, false);
	hide(image);
}

/* Both found, so that they are weighed. */
static void twice(struct core_image *image)
{
	by_note(image);
	image->segments[2] = image->segments[1];
	image->segments[2].p_vaddr = CORE_IMAGE_LEDGER + (2 << 20);
	image->segments[3] = image->segments[4];
	image->segments[3].p_vaddr += CORE_IMAGE_PAGE;
	image->files.places[1][2] = 0;
}

static void many_segments(struct core_image *image)
{
	core_image_fill(image);
	image->header.e_phnum = PN_XNUM;
}

static void half_way(struct core_image *image)
{
	core_image_fill(image);
	image->region.header.generation = 7;
}

static void cut(struct core_image *image)
{
	core_image_fill(image);
	image->segments[1].p_filesz = image->segments[1].p_memsz;
}

static const struct {
	const char *name;
	void (*fill)(struct core_image *image);
} seeds[] = {
	{"plain", plain},
	{"by-note", by_note},
	{"by-symbol", by_symbol},
	{"twice", twice},
	{"many-segments", many_segments},
	{"half-way", half_way},
	{"cut", cut},
};

static bool write_seed(const char *folder, const char *name,
		       const struct core_image *image)
{
	char path[4096];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file)
		return false;
	good = fwrite(image, sizeof(*image), 1, file) == 1;
	return fclose(file) == 0 && good;
}

int main(int argc, char **argv)
{
	static struct core_image image;

	if (argc != 2)
		return 2;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		seeds[i].fill(&image);
		if (!write_seed(argv[1], seeds[i].name, &image)) {
			perror(argv[1]);
			return 2;
		}
	}
	return 0;
}
