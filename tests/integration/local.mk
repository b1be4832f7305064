# SPDX-License-Identifier: BSD-2-Clause
# Real programs from outside. programs.sh needs programs that the build does
# not, so it runs by make check-programs alone.
dist_check_SCRIPTS += %D%/payments.sh %D%/quickstart.sh
TESTS += %D%/payments.sh %D%/quickstart.sh
