dnl SPDX-License-Identifier: BSD-2-Clause
dnl JEHEAP_WARNINGS: sets WARN_CFLAGS and WARN_CXXFLAGS; --enable-developer
dnl turns warnings into errors and the expensive internal checks on.
AC_DEFUN([JEHEAP_WARNINGS], [
AC_ARG_ENABLE([developer],
	[AS_HELP_STRING([--enable-developer],
		[warnings are errors, internal checks are on])],
	[], [enable_developer=no])
WARN_CFLAGS="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
-Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings"
WARN_CXXFLAGS="-Wall -Wextra"
AS_IF([test "x$enable_developer" = xyes], [
	WARN_CFLAGS="$WARN_CFLAGS -Werror"
	WARN_CXXFLAGS="$WARN_CXXFLAGS -Werror"
	AC_DEFINE([JEHEAP_DEVELOPER], [1], [Internal checks are on.])
])
AM_CONDITIONAL([DEVELOPER], [test "x$enable_developer" = xyes])
AC_SUBST([WARN_CFLAGS])
AC_SUBST([WARN_CXXFLAGS])
])
