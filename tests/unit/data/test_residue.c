/* SPDX-License-Identifier: Apache-2.0 */
/* test_residue.c - the sidecar: what was lost and no more, and hostile ones */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "data/residue.h"

/* An image of 117 x 83; the annotations are the argument. */
#define COCO(width, anns)                                                      \
    "{\"images\": [{\"id\": 7, \"file_name\": \"a.jpg\"" width "}], "          \
    "\"categories\": [{\"id\": 3, \"name\": \"x\", \"keypoints\": [\"l\", "    \
    "\"r\"]}], \"annotations\": [" anns "]}"
#define SIZED ", \"width\": 117, \"height\": 83"
#define ANN   "\"image_id\": 7, \"category_id\": 3, "

static char side[1 << 16]; /* the sidecar's text */

/* To `format` below `dir`/t; its sidecar goes to `side`. */
static void sidecar_of(const char *coco, const char *variant)
{
    char to[TMP_PATH];
    size_t size = 0;
    tn_conversion *c = NULL;
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_dataset *d = open_text("coco", "x.json", coco);
    if (d == NULL) fail_msg("%s", err.message);
    tmp_path(to, dir, "t");
    o.format = "yolo";
    o.variant = variant;
    o.allow_loss = "all";
    o.flags = TN_CONVERT_OVERWRITE;
    if (tn_dataset_convert(&c, d, to, &o, &err) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_free(c);
    tn_dataset_close(d);
    char *text = bytes_of(to, "residue.ndjson", &size);
    assert_true(size < sizeof side);
    memcpy(side, text, size + 1);
    free(text);
}

static tn_dataset *open_target(const char *variant)
{
    char to[TMP_PATH];
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    tmp_path(to, dir, "t");
    o.variant = variant;
    memset(&err, 0, sizeof err);
    return tn_dataset_open(&d, to, &o, &err) == TN_OK ? d : NULL;
}

/* The points of a shape or of keypoints, to the bit. */
static void has_points(const tn_dataset *d, size_t ann, bool keypoints,
                       const double *xy, size_t n, double most)
{
    tn_shape s = TN_SHAPE_INIT;
    const tn_status status = keypoints ? tn_dataset_keypoints(d, ann, &s, &err)
                                       : tn_dataset_shape(d, ann, &s, &err);
    if (status != TN_OK) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(s.n_points, n);
    for (size_t i = 0; i < 2 * n; i++)
        if (!(s.xy[i] - xy[i] <= most && xy[i] - s.xy[i] <= most))
            fail_msg("%.17g instead of %.17g", s.xy[i], xy[i]);
    tn_shape_fini(&s);
}

static void outlines_are_not_repeated(void **state)
{
    (void)state;
    static const double two[] = {10.01, 20.07, 33.33, 20.99, 31.1, 47.0};
    sidecar_of(COCO(SIZED, "{\"id\": 5, " ANN "\"bbox\": [10.01, 20.07, 23.32, "
                           "26.93], \"area\": 12.5, \"segmentation\": "
                           "[[10.01,20.07,33.33,20.99,31.1,47]]}"),
               "segment");
    assert_null(strstr(side, "33.33"));
    assert_non_null(strstr(side, "\"shape\":2"));
    assert_non_null(strstr(side, "\"box\":[1,2]"));
    assert_non_null(strstr(side, "\"area\":12.5"));
    assert_null(strstr(side, "\"class\":"));
    tn_dataset *d = open_target("segment");
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    has_points(d, 0, false, two, 3, 0.0);
    const tn_annotation_row a = ann_of(d, 0);
    assert_int_equal(a.id.number, 5);
    assert_int_equal(a.box_form, TN_BOX_XYWH);
    assert_int_equal(a.box_scale, TN_SCALE_PIXEL);
    assert_true(a.box[0] == 10.01 && a.box[1] == 20.07 && a.box[2] == 23.32 &&
                a.box[3] == 26.93);
    /* What is put back is written to the bit, and is known to be whole. */
    char back[TMP_PATH], lost[400];
    size_t size = 0;
    tmp_path(back, dir, "back.json");
    assert_int_equal(convert(d, back, "coco", NULL, lost), TN_OK);
    assert_string_equal(lost, "");
    tmp_path(back, dir, "y2");
    assert_int_equal(convert(d, back, "yolo", NULL, lost), TN_EUNSUPPORTED);
    assert_null(strstr(lost, "outline-boxes"));
    tn_dataset_close(d);
    char *text = bytes_of(dir, "back.json", &size);
    assert_non_null(strstr(text, "[[10.01,20.07,33.33,20.99,31.1,47]]"));
    assert_non_null(strstr(text, "[10.01, 20.07, 23.32, 26.93]"));
    free(text);
}

/* Numbers that no rounding gives come back within a hundred-millionth. */
static void long_numbers_come_back_near(void **state)
{
    (void)state;
    static const double xy[] = {10.123456789012,  20.5, 33.987654321098,
                                20.1111111111111, 31.1, 47.77777777777777};
    sidecar_of(COCO(SIZED, "{\"id\": 5, " ANN "\"bbox\": [1, 2, 3, 4.5], "
                           "\"segmentation\": [[10.123456789012,20.5,"
                           "33.987654321098,20.1111111111111,31.1,"
                           "47.77777777777777]]}"),
               "segment");
    assert_null(strstr(side, "\"shape\""));
    assert_non_null(strstr(side, "\"box\":[1,0,1,2,3,4.5]"));
    tn_dataset *d = open_target("segment");
    assert_non_null(d);
    has_points(d, 0, false, xy, 3, 1e-6);
    assert_box(d, 0, 1, 2, 4, 6.5);
    tn_dataset_close(d);
}

/* What the target has otherwise, or cannot give without a size, is there. */
static void what_differs_is_repeated(void **state)
{
    (void)state;
    static const double parts[] = {1.5, 1,  9,  1,  9,  9.25, 20,
                                   20,  30, 20, 30, 30, 25,   35};
    sidecar_of(COCO(SIZED, "{\"id\": 5, " ANN "\"bbox\": [1.5, 1, 28.5, 34], "
                           "\"segmentation\": [[1.5,1,9,1,9,9.25],[20,20,30,"
                           "20,30,30,25,35]]}"),
               "segment");
    assert_non_null(strstr(side, "\"shape\":[1,0,0,0,\"[[1.5,1,"));
    tn_dataset *d = open_target("segment");
    assert_non_null(d);
    has_points(d, 0, false, parts, 7, 0.0);
    tn_dataset_close(d);
    sidecar_of(COCO(SIZED, "{\"id\": 5, " ANN "\"bbox\": [1.5, 1, 7.5, 8.25], "
                           "\"segmentation\": [[1.5,1,9,1,9,9.25]]}"),
               "detect");
    assert_non_null(strstr(side, "\"box\":[1,2]"));
    assert_non_null(strstr(side, "\"shape\":[1,0,0,0,\"[[1.5,1,"));
    d = open_target("detect");
    assert_non_null(d);
    has_points(d, 0, false, parts, 3, 0.0);
    tn_dataset_close(d);
}

static void keypoints_are_not_repeated(void **state)
{
    (void)state;
    static const double xy[] = {10.25, 20.07, 0.0, 0.0};
    sidecar_of(COCO(SIZED, "{\"id\": 5, " ANN "\"bbox\": [10, 20, 30, 40], "
                           "\"keypoints\": [10.25, 20.07, 1, 0, 0, 0], "
                           "\"score\": 0.5}, {\"id\": 6, \"image_id\": 7, "
                           "\"caption\": \"c\"}, {\"id\": 8, " ANN
                           "\"bbox\": [10, 20, 30, 40], \"iscrowd\": 1, "
                           "\"attributes\": {\"a\": 1}, \"more\": [2], "
                           "\"keypoints\": [1, 2, 2, 3, 4, 2]}"),
               "pose");
    assert_non_null(strstr(side, "\"keypoints\":2"));
    assert_non_null(strstr(side, "\"n\":-1"));
    tn_dataset *d = open_target("pose");
    assert_non_null(d);
    double v = 0.0;
    assert_int_equal(info_of(d).n_annotations, 3);
    has_points(d, 0, true, xy, 2, 0.0);
    assert_true(tn_dataset_num(d, 0, TN_NUM_SCORE, &v) && v == 0.5);
    assert_int_equal(ann_of(d, 0).flags & TN_IS_CROWD, 0);
    assert_int_equal(ann_of(d, 1).id.number, 8);
    assert_int_equal(ann_of(d, 1).flags & TN_IS_CROWD, TN_IS_CROWD);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_ATTRIBUTES, 0), "{\"a\": 1}");
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0), "\"more\": [2]");
    assert_int_equal(ann_of(d, 2).id.number, 6);
    assert_text(tn_dataset_text(d, 2, TN_TEXT_CAPTION, 0), "\"c\"");
    tn_dataset_close(d);
}

/* The sidecar with `from` replaced by `to`. */
static void change(const char *from, const char *to)
{
    static char text[1 << 16];
    const char *at = strstr(side, from);
    if (at == NULL) fail_msg("no %s in %s", from, side);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - side), side, to,
                   at + strlen(from));
    put("t/residue.ndjson", text);
}

static void nothing_and_wrong_things(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        {"\"tenon_residue\":2", "\"tenon_residue\":1",
         "of version 1; this build reads 2"},
        {"\"shape\":2", "\"shape\":10", "no such number of decimal places"},
        {"\"shape\":2", "\"shape\":-1", "no such number of decimal places"},
        {"\"shape\":2", "\"shape\":[1,0,0,200,\"\"]", "a shape of the residue"},
        {"\"shape\":2", "\"shape\":[1,9,0,0,\"\"]", "a shape of the residue"},
        {"\"shape\":2", "\"shape\":\"x\"", "a number is expected"},
        {"\"box\":[1,2]", "\"box\":[1,11]", "a box of the residue is broken"},
        {"\"box\":[1,2]", "\"box\":[1,2,3]", "a box of the residue is broken"},
        {"\"box\":[1,2]", "\"box\":[3,2]", "a box of the residue is broken"},
        {"\"area\":12.5", "\"area\":x", "a number is expected"},
        {"\"area\":12.5", "\"area\":nul", ""},
    };
    sidecar_of(COCO(SIZED, "{\"id\": 5, " ANN "\"bbox\": [10.01, 20.07, 23.32, "
                           "26.93], \"area\": 12.5, \"segmentation\": "
                           "[[10.01,20.07,33.33,20.99,31.1,47]]}"),
               "segment");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        change(rows[i].from, rows[i].to);
        tn_dataset *d = open_target("segment");
        if (d != NULL) fail_msg("taken: %s", rows[i].to);
        if (strstr(err.message, rows[i].says) == NULL)
            fail_msg("%s gave: %s", rows[i].to, err.message);
        assert_non_null(strstr(err.where, "residue.ndjson"));
    }
    double v = 0.0;
    change("\"id\":5", "\"id\":null,\"class\":null,\"attributes\":null,"
                       "\"caption\":null,\"extra\":null,\"score\":null");
    tn_dataset *d = open_target("segment");
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(ann_of(d, 0).id.kind, TN_ID_NONE);
    assert_int_equal(ann_of(d, 0).class_index, TN_NONE);
    assert_true(tn_dataset_num(d, 0, TN_NUM_AREA, &v) && v == 12.5);
    assert_false(tn_dataset_num(d, 0, TN_NUM_SCORE, &v));
    tn_dataset_close(d);
    /* A number beyond the image's: as if it had been changed. */
    change("{\"hash\"", "{\"n\":9223372036854775807,\"hash\"");
    d = open_target("segment");
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(noted(d, "residue-stale"), 1);
    tn_dataset_close(d);
    /* Flags of things that are not there. */
    change("\"flags\":", "\"flags\":16383,\"was\":");
    d = open_target("segment");
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    tn_shape s = TN_SHAPE_INIT;
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_ENOTFOUND);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    sidecar_of(COCO(SIZED, "{\"id\": 5, " ANN "\"bbox\": [10.01, 20.07, 23.32, "
                           "26.93], \"area\": 12.5, \"segmentation\": "
                           "[[10.01,20.07,33.33,20.99,31.1,47]]}, {\"id\": 6, "
                           "\"image_id\": 7, \"caption\": \"c\"}"),
               "segment");
    char oom_path[TMP_PATH];
    tmp_path(oom_path, dir, "t");
    survives_oom_as(oom_path, NULL, "segment");
}

/* Hashes that are made together are those that are made one by one: outlines
 * of many lengths, boxes, keypoints, and more annotations than one go has. */
static void hashes_of_an_image(void **state)
{
    (void)state;
    char text[20000];
    tni_hashes h;
    for (uint32_t n = 1; n < TNI_HASHED + 5; n += n < 9 ? 1 : 13) {
        size_t len = (size_t)snprintf(
            text, sizeof text,
            "{\"images\": [{\"id\": 7, \"file_name\": \"a.jpg\"}], "
            "\"categories\": [{\"id\": 3, \"name\": \"x\"}], "
            "\"annotations\": [");
        for (uint32_t i = 0; i < n; i++) {
            len += (size_t)snprintf(text + len, sizeof text - len,
                                    "%s{" ANN
                                    "\"id\": %u, \"bbox\": [%u, 1, 2, 2.5]",
                                    i > 0 ? "," : "", (unsigned)i, (unsigned)i);
            for (uint32_t k = 0; i % 3 != 1 && k < 3 + i * 7 % 11; k++)
                len += (size_t)snprintf(
                    text + len, sizeof text - len, "%s%u, 4.25",
                    k > 0 ? ", " : ", \"segmentation\": [[", (unsigned)(i + k));
            len += (size_t)snprintf(
                text + len, sizeof text - len, "%s%s}", i % 3 != 1 ? "]]" : "",
                i % 4 == 0 ? ", \"keypoints\": [1, 2, 2, 3, 4, 1]" : "");
        }
        (void)snprintf(text + len, sizeof text - len, "]}");
        tn_dataset *d = open_text("coco", "x.json", text);
        if (d == NULL) fail_msg("%s", err.message);
        tni_hashes_turn(&h, 0);
        for (uint32_t i = n; i-- > 0;)
            assert_int_equal(tni_hashes_at(&h, d, i, i), tni_ann_hash(d, i));
        assert_int_equal(tni_hashes_at(&h, d, 0, -1), tni_ann_hash(d, 0));
        tn_dataset_close(d);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hashes_of_an_image),          TEST(outlines_are_not_repeated),
        TEST(long_numbers_come_back_near), TEST(what_differs_is_repeated),
        TEST(keypoints_are_not_repeated),  TEST(nothing_and_wrong_things),
        TEST(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
