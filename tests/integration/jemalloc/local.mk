# SPDX-License-Identifier: BSD-2-Clause
# liballoc in jemalloc's place.
dist_check_SCRIPTS += %D%/names.sh
TESTS += %D%/names.sh
EXTRA_DIST += %D%/user.c
