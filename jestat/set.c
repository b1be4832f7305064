/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process can be asked for, by the names that mallctl has for it.
 */
#include "config.h"

#include "jestat/set.h"

#include <stdio.h>
#include <string.h>

#include "libjeheap/base/number.h"
#include "libjeheap/target/request.h"

enum value_kind { NO_VALUE, TRUE_OR_FALSE, LG_BYTES };

static const struct setting {
	const char *name;
	enum value_kind kind;
	unsigned command; /* enum ledger_command */
} settings[] = {
	{"prof.active", TRUE_OR_FALSE, LEDGER_SET_ACTIVE},
	{"prof.thread_active_init", TRUE_OR_FALSE,
	 LEDGER_SET_THREAD_ACTIVE_INIT},
	{"prof.lg_sample", LG_BYTES, LEDGER_SET_LG_SAMPLE},
	{"prof.gdump", TRUE_OR_FALSE, LEDGER_SET_GDUMP},
	{"prof.dump", NO_VALUE, LEDGER_DUMP},
	{"purge", NO_VALUE, LEDGER_PURGE},
};

static const struct setting *find(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strlen(settings[i].name) == length &&
		    !memcmp(settings[i].name, text, length))
			return &settings[i];
	return NULL;
}

/* given: what stands behind the '=', or NULL. */
static bool parse_value(const struct setting *setting, const char *given,
			unsigned *value, struct diag *diag)
{
	uint64_t number;

	*value = 0;
	if (setting->kind == NO_VALUE)
		return !given ||
		       diag_set(diag, "%s takes no value", setting->name);
	if (setting->kind == TRUE_OR_FALSE) {
		*value = given && !strcmp(given, "true");
		return *value || (given && !strcmp(given, "false")) ||
		       diag_set(diag, "%s takes true or false", setting->name);
	}
	if (!given || !parse_uint(given, &number) || number > 63)
		return diag_set(diag,
				"%s takes 0 to 63: the mean bytes between "
				"samples as a power of two",
				setting->name);
	*value = (unsigned)number;
	return true;
}

static bool parse(const char *text, const struct setting **setting,
		  unsigned *value, struct diag *diag)
{
	size_t length = strcspn(text, "=");

	*setting = find(text, length);
	if (!*setting)
		return diag_set(diag,
				"'%s' is nothing that can be set; see --help",
				text);
	return parse_value(*setting, text[length] ? text + length + 1 : NULL,
			   value, diag);
}

bool set_in_process(int pid, const char *text, double wait_seconds,
		    bool *refused, struct diag *diag)
{
	enum request_outcome outcome = REQUEST_FAILED;
	const struct setting *setting;
	struct target target;
	unsigned value;

	if (!parse(text, &setting, &value, diag) ||
	    !target_open(&target, pid, diag))
		return false;
	if (target_find_ledger(&target, diag))
		outcome = target_request(&target, setting->command, value,
					 wait_seconds, diag);
	if (outcome == REQUEST_DONE)
		printf("%s: %s is done\n", target.name, text);
	*refused = outcome == REQUEST_REFUSED || outcome == REQUEST_WAITS;
	target_close(&target);
	return outcome == REQUEST_DONE;
}
