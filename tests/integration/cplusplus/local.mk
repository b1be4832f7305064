# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += %D%/host.c %D%/leaf.cc %D%/operators.cc %D%/plugin.cc \
	%D%/replaced.cc
dist_check_SCRIPTS += %D%/operators.sh
TESTS += %D%/operators.sh
