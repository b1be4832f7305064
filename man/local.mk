# SPDX-License-Identifier: BSD-2-Clause
dist_man_MANS += %D%/liballoc.3
dist_man_MANS += %D%/jeprof.1
dist_man_MANS += %D%/jeheapdiff.1 %D%/jestat.1
