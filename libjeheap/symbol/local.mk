# SPDX-License-Identifier: BSD-2-Clause
libjeheap_libjeheap_a_SOURCES += \
	%D%/demangle.c \
	%D%/dwarf.c %D%/dwarf.h \
	%D%/find.c %D%/find.h \
	%D%/image.c %D%/image.h \
	%D%/names.c %D%/names.h \
	%D%/query.c %D%/query.h \
	%D%/symbol.c %D%/symbol.h \
	%D%/symtab.c %D%/symtab.h
