/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as short as a drawing needs them. The full name belongs beside it, in
 * a tooltip: two functions may have the same short one.
 */
#ifndef LIBJEHEAP_REPORT_SHORT_NAME_H
#define LIBJEHEAP_REPORT_SHORT_NAME_H

#include "libjeheap/base/str.h"

/*
 * A demangled C++ or Rust function without its parameters, return type and
 * template arguments; lambdas, closures, operators and "<T as Trait>" stay:
 * "std::vector<…>::push_back", "main::{lambda#1}::operator()".
 */
struct str short_name(struct arena *arena, struct str full);
/* Broken into lines of about `width` bytes, after "::" or where it must be. */
struct str wrap_name(struct arena *arena, struct str name, size_t width);

#endif
