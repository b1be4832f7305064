#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A Rust program on liballoc by jemalloc's C interface.
. "$top_srcdir/tests/tap/tap.sh"
command -v rustc >/dev/null && rustc --version >/dev/null 2>&1 ||
	skip_all 'rustc is not installed'
plan 3

here=$top_srcdir/tests/integration/jemalloc
ok 'it builds' rustc --edition 2021 -O -o "$tmp/allocator" \
	-L "native=$(dirname "$liballoc")" -l dylib=alloc "$here/allocator.rs"
runs 0 'it runs' env LD_LIBRARY_PATH="$(dirname "$liballoc")" "$tmp/allocator"
cat >"$tmp/want" <<EOT
strings true
grew by 32 MiB
usable 33554432
in place 33554432
resident true
EOT
same 'and its figures are right' "$tmp/want" "$tmp/out"
