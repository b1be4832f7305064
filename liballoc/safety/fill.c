/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of freed memory for writes. Owns nothing.
 */
#include "config.h"

#include "liballoc/safety/fill.h"

#include <stdint.h>

#include "liballoc/safety/report.h"

void fill_check_free(const void *ptr, size_t bytes)
{
	const uint8_t *at = ptr;
	size_t i;

	for (i = 0; i < bytes; i++)
		if (at[i] != FILL_FREED && at[i])
			report_error("use after free: a write to freed memory "
				     "at",
				     at + i);
}
