# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += %D%/architecture.md %D%/ledger.md %D%/performance.md %D%/profile-formats.md %D%/profiling.md
EXTRA_DIST += %D%/images/callgraph.svg %D%/images/flame.png \
	%D%/images/growth.png
