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

/* One box, or the outline around it, in an image of 40 x 30. */
static tn_dataset *placed(const char *box, const char *outline)
{
    char text[600];
    (void)snprintf(
        text, sizeof text,
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 40,"
        " \"height\": 30}], \"annotations\": [{\"id\": 1, \"image_id\": 1,"
        " \"category_id\": 1, \"bbox\": %s%s}],"
        " \"categories\": [{\"id\": 1, \"name\": \"x\"}]}",
        box, outline);
    tn_dataset *d = open_text("coco", "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

/* Trainers drop the whole image for a number beyond 1.01: what YOLO gets lies
 * inside, what lay outside comes back. */
static void yolo_gets_nothing_outside_the_image(void **state)
{
    (void)state;
    static const struct {
        const char *box, *outline, *task, *lost, *line;
    } rows[] = {
        {"[-10, 3, 20, 6]", "", "detect", NULL, "0 0 0.2 0.5 0.2\n"},
        {"[-30, 3, 40, 6]", "", "detect", "outside-boxes",
         "0 0.125 0.2 0.25 0.2\n"},
        {"[50, 40, 4, 3]", "", "detect", "outside-boxes", ""},
        {"[30, 3, 20, 6]", "", "segment", "outside-outlines",
         "0 0.75 0.1 1 0.1 1 0.3 0.75 0.3\n"},
        {"[-4, 3, 8, 6]", ", \"segmentation\": [[-4, 3, 4, 3, 4, 9, -4, 9]]",
         "segment", "outside-outlines", "0 0 0.1 0.1 0.1 0.1 0.3 0 0.3\n"},
        {"[0, 3, 40.3, 6]", "", "segment", NULL,
         "0 0 0.1 1.0075 0.1 1.0075 0.3 0 0.3\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[TMP_PATH], back[TMP_PATH], lost[400], format[40];
        double was[4], is[4];
        size_t n = 0;
        tn_dataset *d = placed(rows[i].box, rows[i].outline);
        assert_true(tn_dataset_box(d, 0, was));
        (void)snprintf(to, sizeof to, "%.80s/y%zu", dir, i);
        (void)snprintf(format, sizeof format, "yolo:%s", rows[i].task);
        if (convert(d, to, format, "all", lost) != TN_OK)
            fail_msg("%s: %s", err.where, err.message);
        tn_dataset_close(d);
        if ((strstr(lost, "outside") != NULL) != (rows[i].lost != NULL) ||
            (rows[i].lost != NULL && strstr(lost, rows[i].lost) == NULL))
            fail_msg("%s loses %s", rows[i].box, lost);
        char *line = bytes_of(to, "labels/unsplit/a.txt", &n);
        assert_string_equal(line, rows[i].line);
        free(line);
        d = open_as("yolo", to);
        tmp_path(back, dir, "back.json");
        must_convert(d, back, "coco", "all");
        tn_dataset_close(d);
        d = open_as("coco", back);
        assert_true(tn_dataset_box(d, 0, is));
        for (int k = 0; k < 4; k++)
            assert_true(was[k] - is[k] < 1e-5 && is[k] - was[k] < 1e-5);
        tn_dataset_close(d);
        (void)unlink(back);
    }
}

/* Numbers of classes are their order: what has no list of them loses it, and
 * the residue brings it back, unused classes in their places. */
static void the_order_of_classes_comes_back(void **state)
{
    (void)state;
    static const char *const names[] = {"tram", "car", "bus", "lorry"};
    char from[TMP_PATH], to[TMP_PATH], back[TMP_PATH], lost[400];
    put("y/data.yaml", "train: images\nnames: [tram, car, bus, lorry]\n");
    put("y/images/a.jpg", "");
    put("y/images/b.jpg", "");
    put("y/labels/a.txt", "3 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.2 0.2\n");
    put("y/labels/b.txt", "2 0.5 0.5 0.1 0.1\n");
    tmp_path(from, dir, "y");
    tmp_path(to, dir, "m");
    tmp_path(back, dir, "z");
    tn_dataset *d = open_as("yolo", from);
    assert_int_not_equal(convert(d, to, "createml", NULL, lost), TN_OK);
    assert_non_null(strstr(lost, "class-order"));
    assert_non_null(strstr(lost, "unused-classes"));
    must_convert(d, to, "createml", "all");
    tn_dataset_close(d);
    d = open_as("createml", to);
    must_convert(d, back, "yolo", "all");
    tn_dataset_close(d);
    d = open_as("yolo", back);
    assert_int_equal(info_of(d).n_classes, 4);
    for (size_t i = 0; i < 4; i++) {
        tn_class_row c = TN_CLASS_ROW_INIT;
        assert_int_equal(tn_dataset_class(d, i, &c), TN_OK);
        assert_string_equal(c.name, names[i]);
    }
    tn_dataset_close(d);
    size_t n = 0;
    char *text = bytes_of(back, "labels/train/a.txt", &n);
    assert_int_equal(text[0], '3');
    free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_box_apart_from_its_outline),
        TEST(a_box_of_its_outline),
        TEST(boxes_take_the_box),
        TEST(the_order_of_classes_comes_back),
        TEST(yolo_gets_nothing_outside_the_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
