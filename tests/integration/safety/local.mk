# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += %D%/misuse.c
dist_check_SCRIPTS += %D%/misuse.sh
TESTS += %D%/misuse.sh
