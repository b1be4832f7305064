# SPDX-License-Identifier: BSD-2-Clause
TEST_UNITS += %D%/arenas %D%/conf %D%/stats %D%/tree %D%/many_arenas

%C%_many_arenas_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_many_arenas_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_many_arenas_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_conf_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_conf_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_conf_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_stats_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_stats_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_stats_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_tree_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_tree_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_tree_LDADD = $(UNIT_LIBALLOC_LIBS)

# No test: prints the tables, for tests/integration/ctl/manual.sh.
check_PROGRAMS += %D%/list
%C%_list_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_list_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_list_LDADD = $(UNIT_LIBALLOC_LIBS)

%C%_arenas_CFLAGS = $(UNIT_CFLAGS) $(LIBALLOC_CFLAGS)
%C%_arenas_LDFLAGS = $(UNIT_STATIC_LIBALLOC)
%C%_arenas_LDADD = $(UNIT_LIBALLOC_LIBS)
