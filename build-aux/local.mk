# SPDX-License-Identifier: BSD-2-Clause
# Checks of the sources themselves: make check-format, check-headers,
# check-tidy; all tests on instrumented builds: check-asan, check-ubsan,
# check-tsan, check-valgrind; new inputs to the fuzz targets: check-fuzz; and on
# another machine: check-aarch64.
EXTRA_DIST += %D%/check-format %D%/check-headers %D%/check-tidy \
	%D%/check-aarch64 %D%/check-fuzz %D%/check-sanitized %D%/hide-internals %D%/packages \
	%D%/run-tap

check-format:
	$(AM_V_at)$(SHELL) $(top_srcdir)/%D%/check-format $(top_srcdir)
check-headers:
	$(AM_V_at)CC='$(CC)' $(SHELL) $(top_srcdir)/%D%/check-headers \
		$(top_srcdir) $(abs_builddir) \
		$(ELF_CFLAGS) $(DW_CFLAGS) $(GVC_CFLAGS)
check-tidy:
	$(AM_V_at)$(SHELL) $(top_srcdir)/%D%/check-tidy $(top_srcdir) \
		$(abs_builddir) $(ELF_CFLAGS) $(DW_CFLAGS) $(GVC_CFLAGS)

CHECK_SANITIZED = $(AM_V_at)unset MAKEFLAGS; CC=clang CXX=clang++ \
	$(SHELL) $(top_srcdir)/%D%/check-sanitized $(abs_top_srcdir) \
	$(abs_top_builddir)
check-asan:
	$(CHECK_SANITIZED) address
check-ubsan:
	$(CHECK_SANITIZED) undefined
check-tsan:
	$(CHECK_SANITIZED) thread
check-aarch64:
	$(AM_V_at)unset MAKEFLAGS; $(SHELL) $(top_srcdir)/%D%/check-aarch64 \
		$(abs_top_srcdir) $(abs_top_builddir)
FUZZ_SECONDS = 60
check-fuzz:
	$(AM_V_at)unset MAKEFLAGS; $(SHELL) $(top_srcdir)/%D%/check-fuzz \
		$(abs_top_srcdir) $(abs_top_builddir) '$(FUZZ_SECONDS)'
# The unit tests of the tools: liballoc's bring a malloc of their own, which
# memcheck could not look into.
check-valgrind: all
	$(MAKE) check \
		LOG_COMPILER='valgrind -q --error-exitcode=99' \
		TESTS='$(foreach part,base profile report symbol target,$(filter tests/unit/$(part)/%,$(TEST_UNITS)))'
.PHONY: check-format check-headers check-tidy check-asan check-ubsan \
	check-tsan check-valgrind check-fuzz check-aarch64
