/* SPDX-License-Identifier: Apache-2.0 */
/* tmp.h - a scratch folder for a test, removed with all that is in it */
#ifndef TN_TESTS_HARNESS_TMP_H
#define TN_TESTS_HARNESS_TMP_H

#include <stddef.h>

enum { TMP_PATH = 512 };

/* Makes a new folder under $TMPDIR or /tmp; fails the test when it cannot. */
void tmp_new(char dir[TMP_PATH]);
/* Removes it and everything below. */
void tmp_remove(const char *dir);
/* "dir/name" into path. */
void tmp_path(char path[TMP_PATH], const char *dir, const char *name);
/* Writes a file whole. */
void tmp_write(const char *dir, const char *name, const void *bytes,
               size_t size);

#endif
