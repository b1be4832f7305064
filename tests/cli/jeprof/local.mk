# SPDX-License-Identifier: BSD-2-Clause
jeprof_tests = %D%/errors.sh %D%/flame.sh %D%/help.sh %D%/lifetimes.sh \
	%D%/options.sh %D%/pictures.sh %D%/pipes.sh %D%/reports.sh
dist_check_SCRIPTS += $(jeprof_tests)
TESTS += $(jeprof_tests)
EXTRA_DIST += %D%/expected
