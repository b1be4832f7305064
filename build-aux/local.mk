# SPDX-License-Identifier: BSD-2-Clause
# Checks of the sources themselves: make check-format, check-headers,
# check-tidy.
EXTRA_DIST += %D%/check-format %D%/check-headers %D%/check-tidy \
	%D%/packages %D%/run-tap

check-format:
	$(AM_V_at)$(SHELL) $(top_srcdir)/%D%/check-format $(top_srcdir)
check-headers:
	$(AM_V_at)CC='$(CC)' $(SHELL) $(top_srcdir)/%D%/check-headers \
		$(top_srcdir) $(abs_builddir) \
		$(ELF_CFLAGS) $(DW_CFLAGS) $(GVC_CFLAGS)
check-tidy:
	$(AM_V_at)$(SHELL) $(top_srcdir)/%D%/check-tidy $(top_srcdir) \
		$(abs_builddir) $(ELF_CFLAGS) $(DW_CFLAGS) $(GVC_CFLAGS)
.PHONY: check-format check-headers check-tidy
