# SPDX-License-Identifier: BSD-2-Clause
# What the commands share. Never linked into liballoc.
noinst_LIBRARIES += %D%/libjeheap.a
TOOL_CFLAGS = $(AM_CFLAGS) $(SANITIZE_CFLAGS) $(ELF_CFLAGS) $(DW_CFLAGS) \
	$(GVC_CFLAGS) $(LZ4_CFLAGS) $(LZMA_CFLAGS) $(Z_CFLAGS) $(ZSTD_CFLAGS)
TOOL_LIBS = libjeheap/libjeheap.a $(GVC_LIBS) $(DW_LIBS) $(ELF_LIBS) \
	$(IBERTY_LIBS) $(LZ4_LIBS) $(LZMA_LIBS) $(Z_LIBS) $(ZSTD_LIBS) -lm
%C%_libjeheap_a_CFLAGS = $(TOOL_CFLAGS)
%C%_libjeheap_a_SOURCES =

include %D%/base/local.mk
include %D%/profile/local.mk
include %D%/report/local.mk
include %D%/symbol/local.mk
include %D%/target/local.mk
