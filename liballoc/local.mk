# SPDX-License-Identifier: BSD-2-Clause
lib_LTLIBRARIES += %D%/liballoc.la

# The allocator must not be compiled into calls of itself, nor need libgcc's
# unwinder; what it may import is held by
# tests/integration/liballoc/imports.sh. The exceptions are those that operator
# new lets pass.
LIBALLOC_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -fdata-sections \
	-ffunction-sections -fno-plt \
	-fno-builtin-malloc \
	-fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free \
	-fno-builtin-aligned_alloc -fno-builtin-posix_memalign \
	-fno-math-errno -fasynchronous-unwind-tables -fexceptions \
	$(LIBALLOC_TLS_CFLAGS) $(LIBALLOC_SANITIZE_CFLAGS)

# current:revision:age, by libtool's rules: bump current and zero the rest when
# an exported function goes or changes, bump current and age when one comes.
%C%_liballoc_la_LDFLAGS = -version-info 0:0:0 -Wl,-z,now -Wl,-z,nodelete \
	$(LIBALLOC_FIRST_LDFLAGS) $(LIBALLOC_LDFLAGS) $(LIBALLOC_ORDER_LDFLAGS) \
	-Wl,--version-script=$(top_srcdir)/%D%/liballoc.map
%C%_liballoc_la_DEPENDENCIES = %D%/liballoc.map %D%/order.ld
%C%_liballoc_la_CFLAGS = $(LIBALLOC_CFLAGS)
%C%_liballoc_la_SOURCES =

include %D%/api/local.mk
include %D%/ctl/local.mk
include %D%/heap/local.mk
include %D%/ledger/local.mk
include %D%/prof/local.mk
include %D%/safety/local.mk

liballocincludedir = $(includedir)/liballoc
liballocinclude_HEADERS = %D%/include/liballoc/liballoc.h
pkgconfig_DATA += %D%/liballoc.pc
EXTRA_DIST += %D%/liballoc.map %D%/order.ld %D%/include/jemalloc/jemalloc.h

# Under jemalloc's names: links, so that both names in one process are one
# library. Programs built against jemalloc 5 ask for libjemalloc.so.2. The
# libraries are there before: to name install-libLTLIBRARIES here would have
# the hook's make install them a second time, beside the first with -j.
install-jemalloc-names:
	$(AM_V_at)$(MKDIR_P) '$(DESTDIR)$(includedir)/jemalloc' \
		'$(DESTDIR)$(pkgconfigdir)'
	$(INSTALL_DATA) $(top_srcdir)/%D%/include/jemalloc/jemalloc.h \
		'$(DESTDIR)$(includedir)/jemalloc'
	$(INSTALL_DATA) %D%/jemalloc.pc '$(DESTDIR)$(pkgconfigdir)'
	$(AM_V_at)cd '$(DESTDIR)$(libdir)' && for suffix in so so.2 a; do \
		target=liballoc.$${suffix%.2}; \
		test ! -f "$$target" || \
			$(LN_S) -f "$$target" libjemalloc.$$suffix; \
	done
uninstall-jemalloc-names:
	cd '$(DESTDIR)$(libdir)' && \
		rm -f libjemalloc.so libjemalloc.so.2 libjemalloc.a
	rm -f '$(DESTDIR)$(includedir)/jemalloc/jemalloc.h' \
		'$(DESTDIR)$(pkgconfigdir)/jemalloc.pc'
.PHONY: install-jemalloc-names uninstall-jemalloc-names
if JEMALLOC_NAMES
more_names = install-jemalloc-names
uninstall-hook: uninstall-jemalloc-names
endif

# In the static library visibility says nothing: a program's own functions
# would clash with ours.
install-exec-hook: $(more_names)
	$(AM_V_at)archive=$(DESTDIR)$(libdir)/liballoc.a; \
	test ! -f "$$archive" || CC='$(CC)' OBJCOPY='$(OBJCOPY)' AR='$(AR)' \
		$(SHELL) $(top_srcdir)/build-aux/hide-internals "$$archive"
