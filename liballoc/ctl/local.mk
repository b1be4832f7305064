# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/conf.c %D%/conf.h %D%/conf_boot.c \
	%D%/ctl.c %D%/ctl.h %D%/defaults.c %D%/option_table.c \
	%D%/option_table.h %D%/options.h %D%/print.c %D%/print.h %D%/stats.c \
	%D%/stats.h %D%/stats_json.c %D%/stats_tables.c \
	%D%/stats_text.c %D%/tree.c \
	%D%/tree.h %D%/tree_arena.c %D%/tree_experimental.c \
	%D%/tree_general.c %D%/tree_made_arena.c %D%/tree_mutexes.c \
	%D%/tree_prof.c \
	%D%/tree_stats.c %D%/tree_thread.c
