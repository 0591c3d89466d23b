/* SPDX-License-Identifier: Apache-2.0 */
/* test_createml.c - Create ML JSON: reading, writing, its two origins */
#define _XOPEN_SOURCE 700
#include "formats.h"

#define ONE(coordinates)                                                       \
    "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"x\", "            \
    "\"coordinates\": " coordinates "}]}]"

static void look_at_golden(const tn_dataset *d)
{
    has(d, 3, 4, 4);
    assert_string_equal(class_name(d, 0), "M\xc3\xbcnchen, \"n\xc2\xb0 1\"");
    assert_string_equal(class_name(d, 1), "cat");
    assert_string_equal(class_name(d, 3), "outdoor");
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_string_equal(tn_dataset_split(d, 1), "valid");
    assert_string_equal(image_of(d, 0).name, "a.jpg");
    assert_int_equal(image_of(d, 0).splits, 1);
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 2).name, "a.jpg");
    assert_int_equal(image_of(d, 2).splits, 2);
    has_box(d, 0, 40, 35, 60, 46);
    has_box(d, 1, 0, 0, 20, 20);
    has_box(d, 3, 0.5, 3, 3.5, 7);
    assert_true((ann_of(d, 2).flags & TN_IS_TAG) != 0);
    assert_true(has_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0),
                         "\"confidence\": 0.25"));
    assert_true(has_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                         "\"note\": [1, null]"));
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "createml", NULL, NULL);
    assert_string_equal(info_of(d).format, "createml");
    assert_string_equal(info_of(d).variant, "center");
    look_at_golden(d);
    tn_dataset_close(d);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "createml", NULL, NULL);
    convert_here(d, "out", "createml", NULL, "");
    tn_dataset *back = open_here("out", NULL, NULL);
    look_at_golden(back);
    same(d, back);
    convert_here(back, "again", "createml", NULL, "");
    file_is("again/valid/_annotations.createml.json",
            "[\n{\"image\": \"a.jpg\", \"annotations\": [\n  {\"label\": "
            "\"cat\", \"coordinates\": {\"x\": 2, \"y\": 5, \"width\": 3, "
            "\"height\": 4}}]}\n]\n");
    tn_dataset_close(back);
    convert_here(d, "corners", "createml", "corner", "");
    back = open_here("corners", NULL, "corner");
    same(d, back);
    tn_dataset_close(back);
    convert_here(d, "one.json", "createml", NULL, "splits,image-names");
    back = open_here("one.json", NULL, NULL);
    assert_int_equal(info_of(back).n_splits, 2); /* by the residue */
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void says_when_corners_fit_better(void **state)
{
    (void)state;
    uint64_t n = 0;
    put("x.json", ONE("{\"x\": 0, \"y\": 0, \"width\": 9, \"height\": 9}"));
    tn_dataset *d = open_here("x.json", NULL, NULL);
    has_box(d, 0, -4.5, -4.5, 4.5, 4.5);
    assert_non_null(note_of(d, "createml-origin", &n));
    tn_dataset_close(d);
    d = open_here("x.json", NULL, "corner");
    has_box(d, 0, 0, 0, 9, 9);
    assert_null(note_of(d, "createml-origin", NULL));
    tn_dataset_close(d);
    put("x.json", ONE("{\"x\": 5, \"y\": 5, \"width\": 9, \"height\": 9}"));
    d = open_here("x.json", NULL, NULL);
    assert_null(note_of(d, "createml-origin", NULL));
    tn_dataset_close(d);
}

static void image_without_entry_is_unlabelled(void **state)
{
    (void)state;
    put("set/x.json", ONE("{\"x\": 9, \"y\": 9, \"width\": 2, "
                          "\"height\": 2}"));
    put("set/b.jpg", "");
    tn_dataset *d = open_here("set", NULL, NULL);
    has(d, 2, 1, 1);
    assert_string_equal(image_of(d, 1).name, "b.jpg");
    assert_int_equal(image_of(d, 1).state, TN_STATE_UNKNOWN);
    is_not_converted(d, "out", "createml", NULL, "1 unlabelled-images");
    convert_here(d, "out", "createml", NULL, "unlabelled-images");
    tn_dataset_close(d);
}

static void image_twice_is_a_note(void **state)
{
    (void)state;
    put("x.json", "[{\"image\": \"a\", \"annotations\": [{\"label\": \"x\"}]},"
                  "{\"image\": \"a\", \"annotations\": [{\"label\": \"x\"}]}]");
    tn_dataset *d = open_here("x.json", "createml", NULL);
    has(d, 1, 2, 1);
    assert_non_null(note_of(d, "image-twice", NULL));
    tn_dataset_close(d);
}

static void members_that_clash_are_a_loss(void **state)
{
    (void)state;
    put("x.json",
        "{\"images\": [{\"id\": 0, \"file_name\": \"a.jpg\", \"width\": 9,"
        " \"height\": 9, \"image\": 5}], \"annotations\": [{\"id\": 1, "
        "\"image_id\": 0, \"category_id\": 1, \"bbox\": [1, 1, 2, 2], "
        "\"label\": \"other\"}], \"categories\": [{\"id\": 1, \"name\": "
        "\"x\"}, {\"id\": 2, \"name\": \"never\"}]}");
    tn_dataset *d = open_here("x.json", "coco", NULL);
    convert_here(d, "out", "createml", NULL,
                 "unknown-fields,annotation-ids,image-ids,class-ids,"
                 "unused-classes,image-sizes,image-fields");
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{}", "is expected"},
        {"[{\"image\": \"a\"}]", "an image has no 'annotations'"},
        {"[{\"annotations\": []}]", "an image has no 'image'"},
        {"[{\"image\": \"\", \"annotations\": []}]", "an image has no 'image'"},
        {"[{\"image\": \"a\", \"annotations\": [{}]}]",
         "an annotation has no 'label'"},
        {ONE("{\"x\": 1, \"y\": 2, \"width\": 3}"), "without 'height'"},
        {ONE("{\"x\": 1, \"x\": 2}"), "found 'x' among coordinates"},
        {ONE("{\"z\": 1}"), "found 'z' among coordinates"},
        {ONE("{\"x\": 1e400}"), "beyond the range"},
        {ONE("{\"x\": NaN}"), "found 'N' where a"},
        {ONE("{\"x\": \"1,5\"}"), "where a number is expected"},
        {"[{\"image\": \"a\", \"annotations\": [", "the text ends where"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("x.json", cases[i].text);
        is_refused("x.json", "createml", NULL, cases[i].says);
        assert_non_null(strstr(err.message, "(line 1, column "));
    }
    put("empty/x.txt", "");
    is_refused("empty", "createml", NULL, "the folder has no Create ML file");
}

static void paths_stay_inside(void **state)
{
    (void)state;
    put("secret.jpg", "");
    put("in/x.json", "[{\"image\": \"../secret.jpg\", \"annotations\": "
                     "[]}]");
    tn_dataset *d = open_here("in", "createml", NULL);
    assert_null(image_of(d, 0).file);
    convert_here(d, "out", "createml", NULL, "image-names");
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "createml", "createml");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const shared_row rows[] = {
        {"datumaro-assets/roboflow_dataset/createml", 3, 4, 2},
        {"panlabel-fixtures/sample_valid.createml.json", 2, 2, 2},
    };
    check_shared(rows, sizeof rows / sizeof rows[0], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        IN_FOLDER(writes_what_it_read),
        IN_FOLDER(says_when_corners_fit_better),
        IN_FOLDER(image_without_entry_is_unlabelled),
        IN_FOLDER(image_twice_is_a_note),
        IN_FOLDER(members_that_clash_are_a_loss),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(paths_stay_inside),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
