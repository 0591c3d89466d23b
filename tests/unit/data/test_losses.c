/* SPDX-License-Identifier: Apache-2.0 */
/* test_losses.c - what a conversion counts as lost, and what comes back */
#define _XOPEN_SOURCE 700
#include "formats.h"

/* A polygon of 10..20 with this box beside it. */
static tn_dataset *outlined(const char *box)
{
    char text[600];
    (void)snprintf(
        text, sizeof text,
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 40,"
        " \"height\": 30}], \"annotations\": [{\"id\": 1, \"image_id\": 1,"
        " \"category_id\": 1, \"bbox\": %s, \"area\": 50, \"iscrowd\": 0,"
        " \"segmentation\": [[10, 10, 20, 10, 20, 20]]}],"
        " \"categories\": [{\"id\": 1, \"name\": \"x\"}]}",
        box);
    tn_dataset *d = open_text("coco", "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

static const char *const outline_formats[] = {"labelme", "via", "datumaro",
                                              "yolo"};

#define N_OUTLINE (sizeof outline_formats / sizeof outline_formats[0])

static void a_box_apart_from_its_outline(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OUTLINE; i++) {
        char to[TMP_PATH], back[TMP_PATH], lost[400];
        tn_dataset *d = outlined("[5, 10, 15, 12]");
        tmp_path(to, dir, outline_formats[i]);
        assert_int_not_equal(convert(d, to, outline_formats[i], NULL, lost),
                             TN_OK);
        assert_non_null(strstr(lost, "outline-boxes"));
        must_convert(d, to, outline_formats[i], "all");
        tn_dataset_close(d);
        d = open_as(outline_formats[i], to);
        tmp_path(back, dir, "back.json");
        must_convert(d, back, "coco", "all");
        tn_dataset_close(d);
        d = open_as("coco", back);
        assert_box(d, 0, 5, 10, 20, 22);
        tn_dataset_close(d);
        (void)unlink(back);
    }
}

/* Printed with two decimals, as most tools do, it is the outline's own box. */
static void a_box_of_its_outline(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OUTLINE; i++) {
        char to[TMP_PATH], lost[400];
        tn_dataset *d = outlined("[10, 10.01, 10, 9.99]");
        tmp_path(to, dir, outline_formats[i]);
        assert_int_equal(convert(d, to, outline_formats[i], "all", lost),
                         TN_OK);
        assert_null(strstr(lost, "outline-boxes"));
        tn_dataset_close(d);
    }
}

/* A format of boxes writes the box itself: what is lost is the outline. */
static void boxes_take_the_box(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400];
    tn_dataset *d = outlined("[5, 10, 15, 12]");
    tmp_path(to, dir, "createml");
    assert_int_equal(convert(d, to, "createml", "all", lost), TN_OK);
    assert_non_null(strstr(lost, "polygons"));
    assert_null(strstr(lost, "outline-boxes"));
    tn_dataset_close(d);
    d = open_as("createml", to);
    assert_box(d, 0, 5, 10, 20, 22);
    tn_dataset_close(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_box_apart_from_its_outline),
        TEST(a_box_of_its_outline),
        TEST(boxes_take_the_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
