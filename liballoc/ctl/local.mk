# SPDX-License-Identifier: BSD-2-Clause
liballoc_liballoc_la_SOURCES += %D%/conf.c %D%/conf.h %D%/conf_boot.c \
	%D%/ctl.h %D%/defaults.c %D%/option_table.c %D%/option_table.h \
	%D%/options.h %D%/print.c %D%/print.h
