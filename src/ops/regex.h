/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.h - regular expressions in the syntax of RE2, in linear time
 *
 * Literals, ., classes (Perl, POSIX, ranges), groups, flags i and s, |, * + ?
 * {n,m} with or without the lazy mark, ^ $ \A \z \b \B, \Q…\E, \x, UTF-8. No
 * captures; the longest of the leftmost matches is reported. Limit: Unicode
 * properties (\p) are refused and case folds in ASCII only.
 * Threads: a compiled expression is immutable, a matcher exclusive.
 */
#ifndef TN_SRC_OPS_REGEX_H
#define TN_SRC_OPS_REGEX_H

#include "base/alloc.h"
#include "base/err.h"
#include "tensor/tensor.h"

typedef struct tni_regex tni_regex;
typedef struct tni_regex_matcher tni_regex_matcher;

/* TN_EINVAL with the place of a mistake; TN_EUNSUPPORTED; TN_ELIMIT when the
 * program would be too large. The pattern need not outlive the call. */
tn_status tni_regex_new(tni_regex **out, tn_string pattern, tni_arena *arena,
                        tn_err *err);
/* NULL when memory is out. */
tni_regex_matcher *tni_regex_matcher_new(const tni_regex *re,
                                         tni_arena *arena);

/* True when the expression matches all of the text. */
bool tni_regex_full(tni_regex_matcher *m, tn_string text);
/* The longest match of those that begin first at or after `from`. */
bool tni_regex_find(tni_regex_matcher *m, tn_string text, size_t from,
                    size_t *begin, size_t *end);

/* One code point at p < end: its value and length; an invalid byte gives -1
 * and length 1. */
int32_t tni_utf8_decode(const char *p, const char *end, size_t *len);

#endif
