/* SPDX-License-Identifier: Apache-2.0 */
/* tmp.c - a scratch folder for a test, removed with all that is in it */
#define _XOPEN_SOURCE 700
#include "harness/tmp.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

void tmp_new(char dir[TMP_PATH])
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] == '\0') base = "/tmp";
    const int n = snprintf(dir, TMP_PATH, "%s/tenon-test-XXXXXX", base);
    assert_true(n > 0 && n < TMP_PATH);
    assert_non_null(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void tmp_remove(const char *dir)
{
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void tmp_path(char path[TMP_PATH], const char *dir, const char *name)
{
    const int n = snprintf(path, TMP_PATH, "%s/%s", dir, name);
    assert_true(n > 0 && n < TMP_PATH);
}

void tmp_write(const char *dir, const char *name, const void *bytes,
               size_t size)
{
    char path[TMP_PATH];
    tmp_path(path, dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    if (size != 0) assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}
