/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For formats.sh: convert totals|raw|pprof FILE reads a profile and writes it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libjeheap/base/file.h"
#include "libjeheap/profile/read.h"
#include "libjeheap/profile/write.h"

static bool write_totals(const struct profile *profile, FILE *stream,
			 struct diag *diag)
{
	int t;

	(void)diag;
	for (t = 0; t < SAMPLE_TYPES; t++)
		fprintf(stream, "%s %.0f\n", sample_type_names[t],
			profile_total(profile, t).total);
	return true;
}

int main(int argc, char **argv)
{
	struct diag diag = {0};
	struct profile *profile;
	struct output out;
	bool good;

	if (argc != 3)
		return 2;
	profile = profile_read(argv[2], &diag);
	good = profile && output_open(&out, NULL, &diag);
	if (good && strcmp(argv[1], "raw") == 0)
		write_raw(profile, out.stream);
	else if (good && strcmp(argv[1], "pprof") == 0)
		write_pprof(profile, out.stream);
	else if (good)
		good = write_totals(profile, out.stream, &diag);
	good = good && output_close(&out, &diag);
	if (!good)
		diag_print("convert", &diag);
	profile_free(profile);
	return good ? 0 : 2;
}
