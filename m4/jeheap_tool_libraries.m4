dnl SPDX-License-Identifier: BSD-2-Clause
dnl JEHEAP_TOOL_LIBRARIES: what the commands link to. Each failure names the
dnl Debian package that mends it; ./quickstart installs them all.
AC_DEFUN([JEHEAP_NEED], [
PKG_CHECK_MODULES([$1], [$2], [],
	[AC_MSG_ERROR([$2 not found: install $3, or run ./quickstart])])
])
AC_DEFUN([JEHEAP_TOOL_LIBRARIES], [
JEHEAP_NEED([ELF], [libelf], [libelf-dev])
JEHEAP_NEED([DW], [libdw], [libdw-dev])
JEHEAP_NEED([GVC], [libgvc], [libgraphviz-dev])
JEHEAP_NEED([LZ4], [liblz4], [liblz4-dev])
JEHEAP_NEED([LZMA], [liblzma], [liblzma-dev])
JEHEAP_NEED([Z], [zlib], [zlib1g-dev])
JEHEAP_NEED([ZSTD], [libzstd], [libzstd-dev])
AC_CHECK_HEADER([libiberty/demangle.h], [],
	[AC_MSG_ERROR([libiberty/demangle.h not found: install libiberty-dev])])
AC_CHECK_LIB([iberty], [cplus_demangle], [IBERTY_LIBS=-liberty],
	[AC_MSG_ERROR([libiberty not found: install libiberty-dev])])
AC_SUBST([IBERTY_LIBS])
])
