# SPDX-License-Identifier: BSD-2-Clause
# liballoc's options, controls and statistics, in programs that run on it.
dist_check_SCRIPTS += %D%/manual.sh
TESTS += %D%/manual.sh
