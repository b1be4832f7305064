# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += %D%/architecture.md %D%/ledger.md %D%/profiling.md
