dnl SPDX-License-Identifier: BSD-2-Clause
dnl JEHEAP_SANITIZE: --enable-sanitize=LIST instruments the tools, their
dnl library and their tests. liballoc is left alone by address, leak, memory
dnl and thread, which bring an allocator of their own; undefined reaches it.
AC_DEFUN([JEHEAP_SANITIZE], [
AC_ARG_ENABLE([sanitize],
	[AS_HELP_STRING([--enable-sanitize=LIST],
		[compile with -fsanitize=LIST, for example address,undefined])],
	[], [enable_sanitize=no])
SANITIZE_CFLAGS=
LIBALLOC_SANITIZE_CFLAGS=
AS_CASE([$enable_sanitize],
	[no], [],
	[yes], [AC_MSG_ERROR([--enable-sanitize needs a list: address,undefined])],
	[SANITIZE_CFLAGS="-fsanitize=$enable_sanitize -fno-omit-frame-pointer \
-fno-sanitize-recover=all"
	 AS_CASE([,$enable_sanitize,], [*,undefined,*],
		[LIBALLOC_SANITIZE_CFLAGS="-fsanitize=undefined \
-fsanitize-undefined-trap-on-error"])])
AC_SUBST([SANITIZE_CFLAGS])
AC_SUBST([LIBALLOC_SANITIZE_CFLAGS])
AM_CONDITIONAL([SANITIZE], [test "x$enable_sanitize" != xno])
])
