/* SPDX-License-Identifier: Apache-2.0 */
/* test_kitti.c - KITTI labels: lines, folders, lists */
#define _XOPEN_SOURCE 700
#include "formats.h"

#define TAIL " -1 -1 -1 -1000 -1000 -1000 -10\n"

static void look_at_golden(const tn_dataset *d)
{
    double v = 0.0;
    has(d, 4, 4, 2);
    assert_string_equal(class_name(d, 0), "Car");
    assert_string_equal(class_name(d, 1), "Person_sitting");
    assert_string_equal(image_of(d, 0).name, "000000.png");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 2).name, "000002.jpg");
    has_box(d, 0, 614.24, 181.78, 727.31, 284.77);
    has_box(d, 1, 1, 2, 3.5, 4);
    assert_true(has_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                         "{\"alpha\": -1.57, \"dimensions\": [1.52, 1.63, "
                         "3.89], \"location\": [1.04, 1.56, 8.01], "
                         "\"rotation_y\": -1.61}"));
    assert_true(has_text(tn_dataset_text(d, 1, TN_TEXT_ATTRIBUTES, 0),
                         "{\"truncated\": 0.25, \"occluded\": 2}"));
    assert_int_equal(ann_of(d, 1).flags & (TN_IS_TRUNCATED | TN_IS_OCCLUDED),
                     TN_IS_TRUNCATED | TN_IS_OCCLUDED);
    assert_int_equal(ann_of(d, 3).flags & TN_IS_OCCLUDED, 0);
    assert_true(tn_dataset_num(d, 1, TN_NUM_SCORE, &v) && v == 0.75);
    assert_false(tn_dataset_num(d, 0, TN_NUM_SCORE, &v));
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "kitti", NULL, NULL);
    assert_string_equal(info_of(d).format, "kitti");
    assert_int_equal(info_of(d).n_splits, 2);
    assert_int_equal(image_of(d, 0).splits, 1);
    assert_int_equal(image_of(d, 1).splits, 3);
    assert_int_equal(image_of(d, 2).splits, 2);
    assert_int_equal(image_of(d, 3).state, TN_STATE_UNKNOWN);
    look_at_golden(d);
    tn_dataset_close(d);
}

static void dont_care_is_no_class(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "kitti", NULL, NULL);
    assert_int_equal(ann_of(d, 2).class_index, TN_NONE);
    has_box(d, 2, 500, 170, 590, 190);
    assert_true(has_text(tn_dataset_text(d, 2, TN_TEXT_ATTRIBUTES, 0),
                         "{\"ignore\": true}"));
    tn_dataset_close(d);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "kitti", NULL, NULL);
    convert_here(d, "out", "kitti", NULL, "split-overlap,unlabelled-images");
    file_is("out/train/label_2/000000.txt",
            "Car 0 0 -1.57 614.24 181.78 727.31 284.77 1.52 1.63 3.89 1.04 "
            "1.56 8.01 -1.61\nPerson_sitting 0.25 2 -10 1 2 3.5 4 -1 -1 -1 "
            "-1000 -1000 -1000 -10 0.75\nDontCare -1 -1 -10 500 170 590 190 -1 "
            "-1 -1 -1000 -1000 -1000 -10\n");
    file_is("out/train/label_2/000001.txt", "");
    file_is("out/ImageSets/val.txt", "000002.jpg\n000003.png\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    look_at_golden(back);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void keeps_images_and_their_names(void **state)
{
    (void)state;
    put("in/label_2/train/a b.txt", "Car 0 0 -10 1 2 3 4" TAIL);
    put("in/image_2/train/a b.jpg", "");
    put("in/image_2/c.jpeg", "");
    put("in/label_2/c.txt", "");
    tn_dataset *d = open_here("in", NULL, NULL);
    has(d, 2, 1, 1);
    assert_int_equal(info_of(d).n_splits, 0);
    assert_string_equal(image_of(d, 1).name, "train/a b.jpg");
    convert_here(d, "out", "kitti", NULL, "");
    tn_dataset *back = open_here("out", NULL, NULL);
    same(d, back);
    assert_non_null(image_of(back, 1).file);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void folders_of_splits_inside(void **state)
{
    (void)state;
    put("label_2/train/0.txt", "Car 0 0 -10 1 2 3 4" TAIL);
    put("label_2/val/0.txt", "Car 0 0 -10 1 2 3 4" TAIL);
    tn_dataset *d = open_here("", NULL, NULL);
    has(d, 2, 2, 1);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(image_of(d, 1).name, "0.png");
    tn_dataset_close(d);
}

static void training_alone_is_no_split(void **state)
{
    (void)state;
    put("training/label_2/0.txt", "Car 0 0 -10 1 2 3 4" TAIL);
    tn_dataset *d = open_here("", NULL, NULL);
    assert_int_equal(info_of(d).n_splits, 0);
    tn_dataset_close(d);
    put("testing/image_2/1.png", "");
    d = open_here("", NULL, NULL);
    assert_int_equal(info_of(d).n_splits, 2);
    has(d, 2, 1, 1);
    tn_dataset_close(d);
}

static void stems_that_collide(void **state)
{
    (void)state;
    put("label_2/a.txt", "Car 0 0 -10 1 2 3 4" TAIL);
    put("image_2/a.jpg", "");
    put("image_2/a.png", "");
    tn_dataset *d = open_here("", NULL, NULL);
    has(d, 2, 1, 1);
    assert_non_null(note_of(d, "stem-twice", NULL));
    tn_dataset_close(d);
}

static void words_that_are_no_class(void **state)
{
    (void)state;
    static const char form[] =
        "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"%s\", "
        "\"coordinates\": {\"x\": 5, \"y\": 5, \"width\": 2, \"height\": "
        "2}}]}]";
    static const char *const names[] = {"traffic light", "DontCare", ""};
    for (size_t i = 0; i < 3; i++) {
        char text[300];
        (void)snprintf(text, sizeof text, form, names[i]);
        put("x.json", text);
        tn_dataset *d = open_here("x.json", "createml", NULL);
        is_not_converted(d, "out", "kitti", "all", "first word of a KITTI");
        tn_dataset_close(d);
    }
}

static void other_attributes_are_a_loss(void **state)
{
    (void)state;
    put("x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
        "\"annotations\": [{\"id\": 1, \"image_id\": 1, \"category_id\": "
        "0, \"bbox\": [1, 2, 3, 4], \"attributes\": {\"occluded\": 1, "
        "\"color\": 2}}], \"categories\": [{\"id\": 0, \"name\": "
        "\"c\"}]}");
    tn_dataset *d = open_here("x.json", "coco", NULL);
    convert_here(d, "out", "kitti", NULL,
                 "attributes,annotation-ids,image-ids");
    file_is("out/label_2/a.txt", "c 0 1 -10 1 2 4 6 -1 -1 -1 -1000 -1000 -1000 "
                                 "-10\n");
    file_is("out/images.txt", "a.jpg\n");
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"Car 0 0 -10 1 2 3\n", "found 7 fields, expected 15"},
        {"Car a 0 -10 1 2 3 4" TAIL, "found 'a' as field 2"},
        {"Car 0 0 -10 1 nan 3 4" TAIL, "found 'nan' as field 6"},
        {"Car 0 0 -10 1 1e400 3 4" TAIL, "found '1e400' as field 6"},
        {"Car 0 0 -10 1 1,5 3 4" TAIL, "found '1,5' as field 6"},
        {"a b 0 0 -10 1 2 3 4 1" TAIL, "found 17 fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "Car 0 0 -10 1 2 3 4" TAIL "%s",
                       cases[i].text);
        put("label_2/0.txt", text);
        is_refused("", "kitti", NULL, cases[i].says);
        assert_non_null(strstr(err.where, "label_2/0.txt, line 2"));
        assert_true(err.offset >= 50);
    }
    put("x.txt", "");
    is_refused("x.txt", "kitti", NULL, "KITTI labels are a folder");
    put("none/x.txt", "");
    is_refused("none", "kitti", NULL, "the folder has no labels");
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "kitti", "kitti");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const shared_row rows[] = {
        {"datumaro-assets/kitti_dataset/kitti_detection", 2, 5, 2},
        {"datumaro-assets/kitti_dataset/kitti_3d", 1, 3, 2},
        {"panlabel-fixtures/sample_valid.kitti", 2, 3, 2},
    };
    check_shared(rows, sizeof rows / sizeof rows[0], NULL);
    tn_dataset *d =
        open_shared("datumaro-assets/kitti_dataset/kitti_3d_with_subset", NULL);
    if (d == NULL) return;
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_splits, 3);
    tn_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        cmocka_unit_test(dont_care_is_no_class),
        IN_FOLDER(writes_what_it_read),
        IN_FOLDER(keeps_images_and_their_names),
        IN_FOLDER(folders_of_splits_inside),
        IN_FOLDER(training_alone_is_no_split),
        IN_FOLDER(stems_that_collide),
        IN_FOLDER(words_that_are_no_class),
        IN_FOLDER(other_attributes_are_a_loss),
        IN_FOLDER(refuses_broken),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
