dnl SPDX-License-Identifier: BSD-2-Clause
dnl JEHEAP_LIBALLOC: the switches of the allocator.
AC_DEFUN([JEHEAP_LIBALLOC], [
AC_ARG_ENABLE([debug],
	[AS_HELP_STRING([--enable-debug],
		[liballoc checks its own structures and its arguments])],
	[], [enable_debug=no])
AS_IF([test "x$enable_debug" = xyes], [
	AC_DEFINE([LIBALLOC_DEBUG], [1], [liballoc checks its structures.])])

AC_ARG_ENABLE([initial-exec-tls],
	[AS_HELP_STRING([--disable-initial-exec-tls],
		[let liballoc use the dynamic TLS model, for dlopen from \
programs that have used up their static TLS])],
	[], [enable_initial_exec_tls=yes])
LIBALLOC_TLS_CFLAGS=
AS_IF([test "x$enable_initial_exec_tls" = xyes],
	[LIBALLOC_TLS_CFLAGS=-ftls-model=initial-exec])
AC_SUBST([LIBALLOC_TLS_CFLAGS])

AC_ARG_ENABLE([jemalloc-names],
	[AS_HELP_STRING([--enable-jemalloc-names],
		[install liballoc as libjemalloc too: header, jemalloc.pc and \
libjemalloc.so.2])],
	[], [enable_jemalloc_names=no])
AM_CONDITIONAL([JEMALLOC_NAMES], [test "x$enable_jemalloc_names" = xyes])

AC_CHECK_FUNCS([_dl_find_object])
dnl Another unwinder, for bench/samples to measure beside ours; it has functions
dnl of libgcc's names, so libgcc comes first.
LIBUNWIND_LIBS=
AC_CHECK_HEADER([libunwind.h], [AC_CHECK_LIB([unwind], [main],
	[LIBUNWIND_LIBS="-lgcc_s -lunwind"
	AC_DEFINE([HAVE_LIBUNWIND], [1], [Define to 1 if libunwind is there.])])])
AC_SUBST([LIBUNWIND_LIBS])

AC_CHECK_TOOL([OBJCOPY], [objcopy])
AS_IF([test -z "$OBJCOPY"],
	[AC_MSG_ERROR([objcopy not found: install binutils])])

AC_MSG_CHECKING([whether the linker takes a version script])
save_LDFLAGS=$LDFLAGS
cat >conftest.map <<_EOT
{ global: main; local: *; };
_EOT
LDFLAGS="$LDFLAGS -Wl,--version-script=conftest.map"
AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
	[AC_MSG_RESULT([yes])],
	[AC_MSG_RESULT([no])
	 AC_MSG_ERROR([liballoc needs a linker that takes --version-script])])
LDFLAGS=$save_LDFLAGS
rm -f conftest.map

dnl Initialised first, which the C library's own libpthread was before it became
dnl a part of it (glibc 2.34).
LIBALLOC_FIRST_LDFLAGS=
AC_MSG_CHECKING([whether threads are a part of the C library])
AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#include <features.h>
#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 34)
# error
#endif
]])],
	[AC_MSG_RESULT([yes])
	 LIBALLOC_FIRST_LDFLAGS=-Wl,-z,initfirst],
	[AC_MSG_RESULT([no])])
AC_SUBST([LIBALLOC_FIRST_LDFLAGS])

dnl What brings pages alone; a linker without one of them links a larger
dnl library. --sort-section: small variables together, away from tables.
dnl noseparate-code: code begins on the page where the headers end.
LIBALLOC_LDFLAGS=
for flag in -Wl,-z,pack-relative-relocs -Wl,--sort-section=alignment \
	-Wl,-z,noseparate-code; do
	AC_MSG_CHECKING([whether the linker takes $flag])
	LDFLAGS="$save_LDFLAGS $flag -Wl,--fatal-warnings"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AC_MSG_RESULT([yes])
		 LIBALLOC_LDFLAGS="$LIBALLOC_LDFLAGS $flag"],
		[AC_MSG_RESULT([no])])
done
LDFLAGS=$save_LDFLAGS
AC_SUBST([LIBALLOC_LDFLAGS])

AC_MSG_CHECKING([whether the linker takes an order of functions])
LDFLAGS="$LDFLAGS -shared -fPIC -Wl,-T,$srcdir/liballoc/order.ld"
AC_LINK_IFELSE([AC_LANG_SOURCE([int f(void);
int f(void) { return 1; }])],
	[AC_MSG_RESULT([yes])
	 LIBALLOC_ORDER_LDFLAGS='-Wl,-T,$(top_srcdir)/liballoc/order.ld'],
	[AC_MSG_RESULT([no])
	 LIBALLOC_ORDER_LDFLAGS=])
LDFLAGS=$save_LDFLAGS
AC_SUBST([LIBALLOC_ORDER_LDFLAGS])
])
