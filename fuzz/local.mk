# SPDX-License-Identifier: BSD-2-Clause
# A target NAME is NAME.c; its corpus is corpus/NAME. make check replays the
# corpora; --enable-fuzz (with CC=clang) builds fuzz/NAME on libFuzzer:
#	fuzz/dump_parser -max_total_time=60 NEW-CORPUS $(srcdir)/fuzz/corpus/dump_parser
noinst_HEADERS += %D%/fuzz.h
EXTRA_DIST += %D%/corpus
FUZZ_CFLAGS = -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

if TOOLS
TEST_UNITS += %D%/replay_dump_parser
%C%_replay_dump_parser_SOURCES = %D%/replay.c %D%/dump_parser.c
%C%_replay_dump_parser_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_replay_dump_parser_LDADD = $(TOOL_LIBS)

TEST_UNITS += %D%/replay_ledger_reader
JESTAT_PRINTERS = jestat/histograms.c jestat/json_lines.c jestat/reading.c \
	jestat/rows.c jestat/tables.c
%C%_replay_ledger_reader_SOURCES = %D%/replay.c %D%/ledger_reader.c \
	$(JESTAT_PRINTERS)
%C%_replay_ledger_reader_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_replay_ledger_reader_LDADD = $(TOOL_LIBS)

TEST_UNITS += %D%/replay_core_reader
%C%_replay_core_reader_SOURCES = %D%/replay.c %D%/core_reader.c
%C%_replay_core_reader_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_replay_core_reader_LDADD = $(TOOL_LIBS)

# Make seeds: for core_reader, from the image that is made by hand for unit
# tests, and for ledger_reader, of running processes.
check_PROGRAMS += %D%/core_seed %D%/ledger_seed
%C%_core_seed_CFLAGS = $(UNIT_CFLAGS) $(TOOL_CFLAGS)
%C%_core_seed_LDADD = $(TOOL_LIBS)
%C%_ledger_seed_CFLAGS = $(TOOL_CFLAGS)
%C%_ledger_seed_LDADD = $(TOOL_LIBS)

if FUZZ
noinst_PROGRAMS += %D%/core_reader
%C%_core_reader_CFLAGS = $(AM_CFLAGS) $(TOOL_CFLAGS) $(FUZZ_CFLAGS)
%C%_core_reader_LDADD = $(TOOL_LIBS)
noinst_PROGRAMS += %D%/dump_parser
%C%_dump_parser_SOURCES = %D%/dump_parser.c
%C%_dump_parser_CFLAGS = $(AM_CFLAGS) $(TOOL_CFLAGS) $(FUZZ_CFLAGS)
%C%_dump_parser_LDADD = $(TOOL_LIBS)
noinst_PROGRAMS += %D%/ledger_reader
%C%_ledger_reader_SOURCES = %D%/ledger_reader.c $(JESTAT_PRINTERS)
%C%_ledger_reader_CFLAGS = $(AM_CFLAGS) $(TOOL_CFLAGS) $(FUZZ_CFLAGS)
%C%_ledger_reader_LDADD = $(TOOL_LIBS)
endif
endif

# Runs on the allocator itself, all of it instrumented; tests/stress/api replays
# its corpus.
EXTRA_DIST += %D%/allocator.c
if FUZZ
noinst_PROGRAMS += %D%/allocator
%C%_allocator_SOURCES = %D%/allocator.c $(liballoc_liballoc_la_SOURCES)
%C%_allocator_CFLAGS = $(LIBALLOC_CFLAGS) -fsanitize=fuzzer,undefined \
	-fno-sanitize-recover=all
endif
