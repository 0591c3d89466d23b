/* SPDX-License-Identifier: Apache-2.0 */
/* test_ndjson.c - Ultralytics NDJSON: reading, traps, hostile input, round
 * trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <math.h>

#define DATASET                                                                \
    "{\"type\":\"dataset\",\"task\":\"detect\",\"class_names\":{\"0\":\"c\"}}" \
    "\n"
#define IMAGE(annotations)                                                     \
    "{\"type\":\"image\",\"file\":\"a.jpg\",\"width\":200,\"height\":100,"     \
    "\"annotations\":{" annotations "}}\n"

static uint32_t flags_of(const tn_dataset *d, size_t ann)
{
    return ann_of(d, ann).flags;
}

static tn_dataset *must_open(const char *text)
{
    tn_dataset *d = open_text(NULL, "x.ndjson", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_string_equal(info_of(d).format, "ndjson");
    return d;
}

static void look_at_golden(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    tn_class_row row = TN_CLASS_ROW_INIT;
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_int_equal(info_of(d).n_classes, 3);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(image_of(d, 0).name, "a.jpg");
    assert_int_equal(image_of(d, 0).width, 640);
    assert_int_equal(image_of(d, 0).splits, 1);
    assert_int_equal(image_of(d, 1).state, TN_STATE_UNKNOWN);
    assert_string_equal(image_of(d, 2).name, "a.jpg"); /* of another split */
    assert_int_equal(image_of(d, 2).splits, 2);
    assert_int_equal(image_of(d, 2).state, TN_STATE_EMPTY);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"url\": \"https://x.org/a.jpg?sig\"");
    shape_of(d, 0, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_int_equal(s.n_points, 3);
    assert_true(s.xy[0] == 160.0 && s.xy[5] == 360.0);
    assert_string_equal(class_of(d, 1), "no");
    assert_int_equal(tn_dataset_class(d, 2, &row), TN_OK);
    assert_int_equal(row.id.number, 5);   /* there is no 2, 3 and 4 */
    assert_box(d, 1, 240, 210, 400, 270); /* five numbers are a box */
    tn_shape_fini(&s);
}

/* As a file and as a folder: the golden file is what the writer makes of it. */
static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "ndjson"); /* recognised */
    assert_string_equal(info_of(d).format, "ndjson");
    look_at_golden(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "ndjson", NULL);
    same_file(GOLDEN "ndjson", "dataset.ndjson", to, "dataset.ndjson");
    tmp_path(to, dir, "labels"); /* numbers without commas */
    must_convert(d, to, "yolo", "all");
    tmp_path(to, dir, "one.ndjson");
    must_convert(d, to, "ndjson", NULL);
    tn_dataset_close(d);
    same_file(GOLDEN "ndjson", "dataset.ndjson", dir, "one.ndjson");
    d = open_as(NULL, to);
    look_at_golden(d);
    tn_dataset_close(d);
}

/* Every task; class_names as a list; what other tools write. */
static void every_task(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf{\"type\":\"dataset\",\"task\":\"pose\",\"class_names\":"
        "[\"a\",\"b\"],\"kpt_shape\":[2,3]}\r\n\r\n"
        "{\"file\":\"a.jpg\",\"width\":100,\"height\":100,\"annotations\":"
        "{\"pose\":[[0,0.5,0.5,0.2,0.4,0.1,0.2,2,0,0,0]],\"bboxes\":"
        "[[1,0.5,0.5,0.1,0.1,0.9]],\"obb\":[[1,0.1,0.1,0.2,0.1,0.2,0.2,0.1,"
        "0.2]],\"classification\":[1,[0]]}}";
    double v = 0.0;
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = must_open(text);
    assert_int_equal(info_of(d).n_annotations, 5);
    assert_box(d, 0, 40, 30, 60, 70);
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 2);
    assert_true(s.xy[0] == 10.0 && s.visible[0] == 2 && s.visible[1] == 0);
    assert_true(tn_dataset_num(d, 1, TN_NUM_SCORE, &v) && v == 0.9);
    shape_of(d, 2, &s);
    assert_int_equal(s.kind, TN_SHAPE_QUAD);
    assert_true((flags_of(d, 3) & TN_IS_TAG) != 0);
    assert_string_equal(class_of(d, 4), "a");
    assert_int_equal(noted(d, "several-tasks"), 1);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

/* Each task is written as Ultralytics has it. */
static void writes_tasks(void **state)
{
    (void)state;
    static const char coco[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 100, "
        "\"height\": 50}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "
        "\"category_id\": 0, \"bbox\": [10, 10, 20, 20], \"segmentation\": "
        "[[10, 10, 30, 10, 30, 30]], \"keypoints\": [10, 20, 2, 0, 0, 0], "
        "\"num_keypoints\": 1, \"iscrowd\": 0}], \"categories\": [{\"id\": 0, "
        "\"name\": \"x\", \"keypoints\": [\"p\", \"q\"]}]}";
    static const char *const want[][2] = {
        {"detect", "{\"boxes\": [[0, 0.2, 0.4, 0.2, 0.4]]}"},
        {"segment", "{\"segments\": [[0, 0.1, 0.2, 0.3, 0.2, 0.3, 0.6]]}"},
        {"pose", "{\"pose\": [[0, 0.2, 0.4, 0.2, 0.4, 0.1, 0.4, 2, 0, 0, 0]]}"},
        {"obb", "{\"obb\": [[0, 0.1, 0.2, 0.3, 0.2, 0.3, 0.6, 0.1, 0.6]]}"},
        {"classify", "{\"classification\": []}"}};
    tn_dataset *d = open_text("coco", "x.json", coco);
    assert_non_null(d);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        char to[TMP_PATH];
        size_t n = 0;
        tn_convert_opts o = TN_CONVERT_OPTS_INIT;
        tn_conversion *c = NULL;
        tmp_path(to, dir, "o.ndjson");
        o.format = "ndjson";
        o.variant = want[i][0];
        o.allow_loss = "all";
        o.flags = TN_CONVERT_OVERWRITE;
        if (tn_dataset_convert(&c, d, to, &o, &err) != TN_OK)
            fail_msg("%s: %s", want[i][0], err.message);
        tn_conversion_free(c);
        char *text = bytes_of(dir, "o.ndjson", &n);
        if (strstr(text, want[i][1]) == NULL) fail_msg("%s", text);
        if ((strstr(text, "\"kpt_shape\": [2, 3]") != NULL) != (i == 2))
            fail_msg("%s", text);
        free(text);
    }
    tn_dataset_close(d);
}

/* What Ultralytics would run or follow is not passed on; raw fields of several
 * lines become one. */
static void only_what_is_safe(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400];
    tn_dataset *d = must_open(
        "{\"type\":\"dataset\",\"task\":\"detect\",\"class_names\":{},"
        "\"download\":\"import os\",\"path\":\"../../etc\"}\n"
        "{\"type\":\"image\",\"file\":\"../x.jpg\",\"annotations\":{}}\n");
    assert_null(image_of(d, 0).file);
    tmp_path(to, dir, "out.ndjson");
    assert_int_equal(convert(d, to, "ndjson", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "dataset-fields,image-names");
    must_convert(d, to, "ndjson", lost);
    tn_dataset_close(d);
    size_t n = 0;
    char *text = bytes_of(dir, "out.ndjson", &n);
    assert_null(strstr(text, "download"));
    assert_null(strstr(text, "etc"));
    free(text);
    d = open_text("coco", "x.json",
                  "{\"images\": [{\"id\": 0, \"file_name\": \"a.jpg\", "
                  "\"width\": 9, \"height\": 9, \"more\": {\n\"a\":\r\n1}}], "
                  "\"annotations\": [], \"categories\": []}");
    assert_non_null(d);
    tmp_path(to, dir, "lines.ndjson");
    must_convert(d, to, "ndjson", "all");
    tn_dataset_close(d);
}

/* Parts of an image need no size to be written as parts again. */
static void unknown_sizes(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d =
        must_open(DATASET "{\"file\":\"a.jpg\",\"annotations\":{\"segments\":"
                          "[[0,0.1,0.1,0.2,0.1,0.2,0.2]]}}\n");
    tmp_path(to, dir, "out.ndjson");
    must_convert(d, to, "ndjson", NULL);
    tmp_path(to, dir, "ls.json");
    must_convert(d, to, "label-studio", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_annotations, 1);
    tn_dataset_close(d);
}

/* Images beside the file, where `path` says and by split. */
static void files_of_images(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"dataset\",\"task\":\"detect\",\"class_names\":{},"
        "\"path\":\"set\"}\n"
        "{\"type\":\"image\",\"file\":\"a.jpg\",\"split\":\"val\"}\n";
    char to[TMP_PATH];
    put("s/set/images/val/a.jpg", "");
    put("s/x.ndjson", text);
    tmp_path(to, dir, "s");
    tn_dataset *d = open_as(NULL, to);
    assert_non_null(image_of(d, 0).file);
    tmp_path(to, dir, "o");
    must_convert(d, to, "ndjson", NULL);
    tn_dataset_close(d);
    size_t n = 0;
    char *made = bytes_of(to, "dataset.ndjson", &n);
    assert_non_null(strstr(made, "\"path\": \".\"")); /* Ultralytics finds it */
    free(made);
    d = open_as(NULL, to);
    assert_non_null(image_of(d, 0).file);
    tn_dataset_close(d);
    put("s/y.ndjson", text);
    tmp_path(to, dir, "s");
    assert_null(try_open("ndjson", to));
    assert_non_null(strstr(err.message, "several .ndjson files"));
    put("t/x.txt", text);
    tmp_path(to, dir, "t");
    assert_null(try_open("ndjson", to));
    assert_non_null(strstr(err.message, "has no *.ndjson file"));
}

/* COCO with all it has goes there and comes back by the residue. */
static void losses_come_back(void **state)
{
    (void)state;
    static const char coco[] =
        "{\"info\": {\"year\": 2020}, \"images\": [{\"id\": 5, "
        "\"file_name\": \"x/a b.jpg\", \"width\": 90, \"height\": 60}], "
        "\"annotations\": [{\"id\": 1, \"image_id\": 5, \"category_id\": 3, "
        "\"bbox\": [0, 0, 9, 9], \"segmentation\": "
        "[[0,0,9,0,9,9],[1,2,1,3,2,3]], \"iscrowd\": 0, \"area\": 5},"
        "{\"id\": 3, \"image_id\": 5, \"category_id\": 0, \"bbox\": "
        "[0, 0, 2, 1], \"segmentation\": {\"counts\": [0, 1, 8, 1, 5390], "
        "\"size\": [60, 90]}, \"iscrowd\": 1}], "
        "\"categories\": [{\"id\": 3, \"name\": \"x\", \"supercategory\": "
        "\"y\"}, {\"id\": 0, \"name\": \"no\"}]}";
    char to[TMP_PATH], lost[400], back[TMP_PATH];
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_text("coco", "x.json", coco);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "ndjson", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost,
                        "outline-boxes,parts,masks,crowd,areas,annotation-ids,"
                        "image-ids,class-ids,supercategories,"
                        "dataset-fields");
    must_convert(d, to, "ndjson", lost);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_string_equal(image_of(d, 0).name, "x/a b.jpg");
    assert_int_equal(image_of(d, 0).id.number, 5);
    shape_of(d, 0, &s);
    assert_int_equal(s.n_rings, 2);
    assert_true((flags_of(d, 1) & TN_IS_CROWD) != 0);
    shape_of(d, 1, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    tn_shape_fini(&s);
    tmp_path(back, dir, "back.json");
    must_convert(d, back, "coco", NULL);
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {DATASET IMAGE("\"boxes\":[[0,0.5,0.5,0.1]]"),
         "a row of 4 numbers, expected a class, centre x"},
        {DATASET IMAGE("\"boxes\":[[]]"), "a row is empty"},
        {DATASET IMAGE("\"boxes\":[[-1,0,0,1,1]]"),
         "-1 is not the number of a class"},
        {DATASET IMAGE("\"boxes\":[[0.5,0,0,1,1]]"),
         "0.5 is not the number of a class"},
        {DATASET IMAGE("\"boxes\":[[\"c\",0,0,1,1]]"), "a number is expected"},
        {DATASET IMAGE("\"boxes\":[[0,NaN,0,1,1]]"), "found 'N'"},
        {DATASET IMAGE("\"boxes\":[[0,1e400,0,1,1]]"), "beyond the range"},
        {DATASET IMAGE("\"segments\":[[0,0,0,1,1,1]]"),
         "expected a class and at least three points"},
        {DATASET IMAGE("\"obb\":[[0,0,0,1,1]]"), "a class and four corners"},
        {DATASET IMAGE("\"pose\":[[0,0,0,1,1,1]]"),
         "a class, a box and the keypoints"},
        {DATASET IMAGE("\"classification\":[[0,1]]"), "expected a class"},
        {DATASET IMAGE("\"classification\":[-1]"), "is not the number"},
        {DATASET "{\"type\":\"image\"}", "an image has no 'file'"},
        {DATASET "[1]", "a line is no object"},
        {DATASET "{\"file\":\"a\"} x", "(line 2, column"},
        {DATASET DATASET, "a second record of the dataset"},
        {"{\"file\":\"a.jpg\"}\n" DATASET, "the dataset's record is not the "
                                           "first"},
        {"{\"type\":\"dataset\",\"class_names\":{\"x\":\"c\"}}",
         "'x' is not the number of a class"},
        {"{\"type\":\"dataset\",\"kpt_shape\":[17]}", "kpt_shape is not"},
        {"{\"type\":\"dataset\",\"kpt_shape\":[17,4]}", "kpt_shape is not"},
        {"\n\n", "the file has no records"},
        {DATASET "{\"file\":\"a\",", "(line 2, column"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused("ndjson", "x.ndjson", cases[i].text, cases[i].says);
    tn_dataset *d = must_open(DATASET "{\"type\":\"note\"}\n" IMAGE(
        "\"boxes\":[[3,0.5,1.5,0.1,0.1]]"));
    assert_int_equal(noted(d, "other-record"), 1);
    assert_int_equal(noted(d, "class-out-of-range"), 1);
    assert_int_equal(noted(d, "out-of-range"), 1);
    assert_string_equal(class_of(d, 0), "3");
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "ndjson/dataset.ndjson", "ndjson");
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(golden),
        IN_FOLDER(every_task),
        IN_FOLDER(writes_tasks),
        IN_FOLDER(only_what_is_safe),
        IN_FOLDER(unknown_sizes),
        IN_FOLDER(files_of_images),
        IN_FOLDER(losses_come_back),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
