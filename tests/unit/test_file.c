/* SPDX-License-Identifier: Apache-2.0 */
/* test_file.c - mapping files, paths that files name, writing whole */
#define _XOPEN_SOURCE 700
#include "harness/tmp.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static tn_err err;

static void map_reads_bytes(void **state)
{
    (void)state;
    char dir[TMP_PATH], path[TMP_PATH];
    tmp_new(dir);
    tmp_write(dir, "a", "hello", 5);
    tmp_path(path, dir, "a");
    tni_file_map m;
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
    assert_int_equal(m.size, 5);
    assert_memory_equal(m.bytes, "hello", 5);
    tni_file_map_close(&m);
    assert_null(m.bytes);
    tmp_remove(dir);
}

static void detached_outlives_its_file(void **state)
{
    (void)state;
    char dir[TMP_PATH], path[TMP_PATH];
    static char text[20000];
    memset(text, 'x', sizeof text);
    tmp_new(dir);
    tmp_write(dir, "a", text, sizeof text);
    tmp_path(path, dir, "a");
    tni_file_map m;
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
    assert_int_equal(tni_file_map_detach(&m, &err), TN_OK);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(m.size, sizeof text);
    assert_memory_equal(m.bytes, text, sizeof text);
    /* What is dropped comes back. */
    tni_file_map_drop(&m);
    assert_memory_equal(m.bytes, text, sizeof text);
    tni_file_map_close(&m);
    /* One that shrinks before is an error, no signal. */
    tmp_write(dir, "a", text, sizeof text);
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(tni_file_map_detach(&m, &err), TN_EIO);
    tni_file_map_close(&m);
    tmp_write(dir, "b", "", 0);
    tmp_path(path, dir, "b");
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
    assert_int_equal(tni_file_map_detach(&m, &err), TN_OK);
    tni_file_map_close(&m);
    tmp_remove(dir);
}

static void map_refuses(void **state)
{
    (void)state;
    char dir[TMP_PATH], path[TMP_PATH];
    tmp_new(dir);
    tni_file_map m;

    tmp_path(path, dir, "missing");
    tni_err_clear(&err);
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_ENOTFOUND);
    assert_string_equal(err.where, path);

    tni_err_clear(&err);
    assert_int_equal(tni_file_map_open(&m, dir, 0, &err), TN_EIO);
    assert_non_null(strstr(err.message, "directory"));

    tmp_write(dir, "big", "0123456789", 10);
    tmp_path(path, dir, "big");
    tni_err_clear(&err);
    assert_int_equal(tni_file_map_open(&m, path, 9, &err), TN_ELIMIT);
    assert_non_null(strstr(err.message, "10 bytes"));

    tmp_path(path, dir, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_EIO);

    tmp_write(dir, "empty", "", 0);
    tmp_path(path, dir, "empty");
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
    assert_int_equal(m.size, 0);
    assert_null(m.bytes);
    tni_file_map_close(&m);
    tmp_remove(dir);
}

static void location_stays_inside(void **state)
{
    (void)state;
    char dir[TMP_PATH], owner[TMP_PATH], path[TMP_PATH];
    tmp_new(dir);
    tmp_path(path, dir, "m");
    assert_int_equal(mkdir(path, 0700), 0);
    tmp_write(dir, "secret", "s", 1);
    tmp_write(dir, "m/model.onnx", "m", 1);
    tmp_write(dir, "m/data", "dd", 2);
    tmp_path(owner, dir, "m/model.onnx");
    tmp_path(path, dir, "m/out");
    assert_int_equal(symlink("../secret", path), 0);
    tmp_path(path, dir, "m/in");
    assert_int_equal(symlink("data", path), 0);

    tni_file_map m;
    assert_int_equal(tni_file_map_open_beside(&m, owner, "data", 0, &err),
                     TN_OK);
    assert_int_equal(m.size, 2);
    tni_file_map_close(&m);
    assert_int_equal(tni_file_map_open_beside(&m, owner, "./in", 0, &err),
                     TN_OK);
    tni_file_map_close(&m);

    static const char *const bad[] = {"",           "/etc/passwd", "../secret",
                                      "a/../../b",  "C:\\x",       "..",
                                      "..\\secret", "out"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tni_err_clear(&err);
        assert_int_equal(tni_file_map_open_beside(&m, owner, bad[i], 0, &err),
                         TN_EFORMAT);
        assert_true(err.message[0] != '\0');
        tni_file_map_close(&m);
    }
    assert_int_equal(tni_file_map_open_beside(&m, owner, "none", 0, &err),
                     TN_ENOTFOUND);

    /* A model that is itself a link may name files beside its target. */
    tmp_path(path, dir, "link.onnx");
    assert_int_equal(symlink("m/model.onnx", path), 0);
    char data_link[TMP_PATH];
    tmp_path(data_link, dir, "link.data");
    assert_int_equal(symlink("m/data", data_link), 0);
    assert_int_equal(tni_file_map_open_beside(&m, path, "link.data", 0, &err),
                     TN_OK);
    tni_file_map_close(&m);
    tmp_remove(dir);
}

static void out_appears_on_commit(void **state)
{
    (void)state;
    char dir[TMP_PATH], path[TMP_PATH];
    tmp_new(dir);
    tmp_path(path, dir, "out");
    tni_file_out *f = NULL;
    assert_int_equal(tni_file_out_open(&f, path, &err), TN_OK);
    assert_int_equal(tni_file_out_write(f, "abc", 3, &err), TN_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(tni_file_out_commit(f, &err), TN_OK);
    tni_file_map m;
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
    assert_memory_equal(m.bytes, "abc", 3);
    tni_file_map_close(&m);

    assert_int_equal(tni_file_out_open(&f, path, &err), TN_OK);
    assert_int_equal(tni_file_out_write(f, "zz", 2, &err), TN_OK);
    tni_file_out_abort(f);
    tni_file_out_abort(NULL);
    assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
    assert_int_equal(m.size, 3);
    tni_file_map_close(&m);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0); /* no temporary is left */

    assert_int_equal(tni_file_out_open(&f, path, &err), TN_ENOTFOUND);
    assert_null(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_reads_bytes),
        cmocka_unit_test(detached_outlives_its_file),
        cmocka_unit_test(map_refuses),
        cmocka_unit_test(location_stays_inside),
        cmocka_unit_test(out_appears_on_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
