/* SPDX-License-Identifier: Apache-2.0 */
/* test_roboflow.c - what Roboflow exports, and what wants to be laid out so */
#define _XOPEN_SOURCE 700
#include "formats.h"

static void put_coco(const char *name, const char *file)
{
    char text[600];
    (void)snprintf(text, sizeof text,
                   "{\"images\": [{\"id\": 0, \"file_name\": \"%s\", "
                   "\"width\": 9, \"height\": 9}], \"annotations\": [{\"id\": "
                   "0, \"image_id\": 0, \"category_id\": 1, \"bbox\": [1, 2, "
                   "3, 4], \"area\": 12, \"iscrowd\": 0, \"segmentation\": "
                   "[]}], \"categories\": [{\"id\": 0, \"name\": \"animals\", "
                   "\"supercategory\": \"none\"}, {\"id\": 1, \"name\": "
                   "\"cat\", \"supercategory\": \"animals\"}]}",
                   file);
    put(name, text);
}

/* The surplus class 0 is a class like any other. */
static void coco_by_split(void **state)
{
    (void)state;
    put_coco("in/train/_annotations.coco.json", "a_jpg.rf.0a1b.jpg");
    put_coco("in/valid/_annotations.coco.json", "b.jpg");
    put("in/train/a_jpg.rf.0a1b.jpg", "");
    tn_dataset *d = open_here("in", NULL, NULL);
    assert_string_equal(info_of(d).format, "coco");
    has(d, 2, 2, 2);
    assert_string_equal(tn_dataset_split(d, 1), "valid");
    assert_non_null(image_of(d, 0).file);
    convert_here(d, "out", "coco", "roboflow", "");
    char where_to[TMP_PATH];
    static const char *const files[] = {"out/train/_annotations.coco.json",
                                        "out/train/a_jpg.rf.0a1b.jpg",
                                        "out/valid/_annotations.coco.json"};
    for (size_t i = 0; i < 3; i++) {
        tmp_path(where_to, dir, files[i]);
        assert_int_equal(access(where_to, F_OK), 0);
    }
    tmp_path(where_to, dir, "out/annotations");
    assert_int_not_equal(access(where_to, F_OK), 0);
    tn_dataset *back = open_here("out", NULL, NULL);
    same(d, back);
    tn_dataset_close(back);
    back = open_here("out", "coco", "roboflow");
    assert_string_equal(info_of(back).variant, "roboflow");
    same(d, back);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void coco_without_splits(void **state)
{
    (void)state;
    put_coco("x.json", "in/a.jpg");
    put("in/a.jpg", "");
    tn_dataset *d = open_here("x.json", "coco", NULL);
    convert_here(d, "out", "coco", "roboflow", "");
    tn_dataset *back = open_here("out", NULL, NULL);
    same(d, back);
    assert_non_null(image_of(back, 0).file);
    tn_dataset_close(back);
    tn_dataset_close(d);
    put_coco("none/annotations/instances_val.json", "a.jpg");
    is_refused("none", "coco", "roboflow", "the folder has no COCO file");
}

/* The tables and lists of the other exports lie in the same folders. */
static void same_folders_for_all(void **state)
{
    (void)state;
    put_coco("in/train/_annotations.coco.json", "a.jpg");
    put_coco("in/test/_annotations.coco.json", "b.jpg");
    tn_dataset *d = open_here("in", NULL, NULL);
    static const struct {
        const char *format, *variant, *file;
    } rows[] = {
        {"createml", NULL, "train/_annotations.createml.json"},
        {"csv", "tensorflow", "test/_annotations.csv"},
        {"csv", "retinanet", "test/_annotations.csv"},
        {"csv", "multiclass", "train/_classes.csv"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[40], where_to[TMP_PATH];
        (void)snprintf(to, sizeof to, "out%zu", i);
        convert_here(d, to, rows[i].format, rows[i].variant, "all");
        (void)snprintf(where_to, sizeof where_to, "%.400s/%s/%s", dir, to,
                       rows[i].file);
        assert_int_equal(access(where_to, F_OK), 0);
        tn_dataset *back = open_here(to, NULL, NULL);
        assert_string_equal(info_of(back).format, rows[i].format);
        has(back, 2, 2, 2); /* by the residue */
        assert_int_equal(info_of(back).n_splits, 2);
        tn_dataset_close(back);
    }
    tn_dataset_close(d);
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const shared_row rows[] = {
        {"datumaro-assets/roboflow_dataset/coco", 3, 4, 2},
        {"datumaro-assets/roboflow_dataset/createml", 3, 4, 2},
        {"datumaro-assets/roboflow_dataset/multiclass", 3, 4, 2},
    };
    check_shared(rows, sizeof rows / sizeof rows[0], NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tn_dataset *d = open_shared(rows[i].name, NULL);
        if (d == NULL) continue;
        assert_int_equal(info_of(d).n_splits, 2);
        assert_string_equal(tn_dataset_split(d, 0), "train");
        assert_non_null(image_of(d, 0).file);
        tn_dataset_close(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(coco_by_split),
        IN_FOLDER(coco_without_splits),
        IN_FOLDER(same_folders_for_all),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
