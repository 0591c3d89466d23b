/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan.h - the inner loops of the JSON reader */
#ifndef TN_SRC_BASE_JSON_SCAN_H
#define TN_SRC_BASE_JSON_SCAN_H

#include <stdbool.h>

/* Past white space. */
const char *tni_json_space(const char *p, const char *end);
/* To the first byte of a string that is not plain: a quote, a backslash, a
 * control character, a byte above ASCII, or the end. */
const char *tni_json_plain(const char *p, const char *end);
/* Past a number; NULL when there is none or it is not well-formed. */
const char *tni_json_number(const char *p, const char *end, bool *integer);
/* Inside an array: past plain numbers, each with what is around it, as far as
 * they go. Stops before a comma or a bracket behind a number, *fresh false, or
 * does not move. What it does not pass is left to the reader, errors too. */
const char *tni_json_numbers(const char *p, const char *end, bool *fresh);

#endif
