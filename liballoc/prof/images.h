/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that the process has mapped, as a dump tells of them: their
 * build-ids, and /proc/self/maps as it is.
 */
#ifndef LIBALLOC_PROF_IMAGES_H
#define LIBALLOC_PROF_IMAGES_H

#include "liballoc/prof/writer.h"

/* "# build_id START-END ID PATH" for each; END is that of its last mapping. */
void images_write_build_ids(struct writer *writer);
void images_write_maps(struct writer *writer);
/* "mappings": the executable ones, a string for each line of maps. */
struct json;
void images_put_mappings(struct json *json);

#endif
