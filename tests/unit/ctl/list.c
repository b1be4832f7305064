/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No test itself: prints the tables of controls and of options without
 * effect, for tests that hold the manual page against them.
 */
#include "config.h"

#include <stdio.h>

#include "liballoc/ctl/option_table.h"
#include "liballoc/ctl/tree.h"

static const char *type_name(const struct ctl_row *row)
{
	if (row->c_type)
		return row->c_type;
	switch (row->type) {
	case CTL_VOID:
		return "void";
	case CTL_BOOL:
		return "bool";
	case CTL_UINT32:
		return "uint32_t";
	case CTL_UNSIGNED:
		return "unsigned";
	case CTL_UINT64:
		return "uint64_t";
	case CTL_SIZE:
		return "size_t";
	case CTL_SSIZE:
		return "ssize_t";
	case CTL_INT64:
		return "int64_t";
	case CTL_STRING:
		return "const char *";
	case CTL_POINTER:
		return "uint64_t *";
	}
	return "?";
}

static const char *access_of(const struct ctl_row *row)
{
	if (row->type == CTL_VOID && !row->io)
		return "--";
	if (row->rules & CTL_READ_ONLY)
		return "r-";
	if (row->rules & CTL_WRITE_ONLY)
		return "-w";
	if (row->exchange || row->io || (row->get && row->set))
		return "rw";
	return row->get ? "r-" : "-w";
}

int main(void)
{
	for (unsigned i = 0; i < ctl_row_count(); i++) {
		struct ctl_row row;

		ctl_row_at(i, &row);
		printf("control %s (%s) %s\n", row.name, type_name(&row),
		       access_of(&row));
	}
	for (unsigned i = 0; i < option_ignored_count; i++) {
		const struct option_ignored *row = &option_ignored_rows[i];

		printf("ignored %s %s\n", row->key, row->values);
	}
	return 0;
}
