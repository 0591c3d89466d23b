/* SPDX-License-Identifier: Apache-2.0 */
/* test_datumaro.c - Datumaro: reading, traps, hostile input, round trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

static const char full[] =
    "{\"dm_format_version\": \"1.0\", \"media_type\": 2,\n"
    "\"infos\": {\"author\": \"x\"},\n"
    "\"categories\": {\"label\": {\"labels\": [\n"
    "{\"name\": \"no\", \"parent\": \"\", \"attributes\": []},\n"
    "{\"name\": \"p\", \"parent\": \"no\", \"attributes\": [\"pose\"]}],\n"
    "\"label_groups\": [{\"name\": \"g\"}], \"attributes\": [\"a\"]},\n"
    "\"mask\": {\"colormap\": [{\"label_id\": 0}]},\n"
    "\"points\": {\"items\": [{\"label_id\": 1, \"labels\": [\"l\", \"r\"], "
    "\"joints\": [[1, 2]]}]}},\n"
    "\"items\": [\n"
    "{\"id\": \"a/b\", \"annotations\": [\n"
    "{\"id\": 4, \"type\": \"bbox\", \"attributes\": {\"occluded\": true, "
    "\"score\": 0.5, \"truncated\": false}, \"group\": 3, \"label_id\": 0, "
    "\"z_order\": 2, \"bbox\": [1.5, 2, 3, 4]},\n"
    "{\"id\": 0, \"type\": \"polygon\", \"attributes\": {\"is_crowd\": true, "
    "\"track_id\": 9}, \"group\": 0, \"label_id\": 1, \"points\": [1, 1, 9, 1, "
    "9, 8.5], \"z_order\": 0, \"object_id\": -1},\n"
    "{\"type\": \"points\", \"label_id\": 1, \"points\": [1, 2, 0, 0], "
    "\"visibility\": [2, 0]},\n"
    "{\"type\": \"mask\", \"label_id\": 1, \"rle\": {\"counts\": \"52203\", "
    "\"size\": [4, 4]}},\n"
    "{\"type\": \"ellipse\", \"label_id\": 0, \"points\": [2, 2, 6, 4]},\n"
    "{\"type\": \"polyline\", \"label_id\": 0, \"points\": [2, 2, 6, 4]},\n"
    "{\"type\": \"label\", \"label_id\": 0},\n"
    "{\"type\": \"caption\", \"caption\": \"hi \\\"you\\\"\"},\n"
    "{\"type\": \"cuboid_3d\", \"label_id\": 0, \"position\": [1, 2, 3]},\n"
    "{\"type\": \"points\", \"label_id\": 0, \"points\": [1, 2, 5, 6]}],\n"
    "\"attr\": {\"id\": 900, \"source\": \"cam\"}, \"image\": {\"path\": "
    "\"a/b.png\", \"size\": [90, 120]}},\n"
    "{\"id\": \"own\", \"annotations\": [], \"image\": {\"path\": "
    "\"c.png\"}}]}\n";

static void look_at_full(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    tn_class_row c = TN_CLASS_ROW_INIT;
    double v = 0.0;
    const tn_image_row image = image_of(d, 0);
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_annotations, 10);
    assert_int_equal(info_of(d).n_classes, 2);
    assert_string_equal(image.name, "a/b.png");
    assert_int_equal(image.width, 120); /* size is height, width */
    assert_int_equal(image.height, 90);
    assert_int_equal(image.id.number, 900);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"source\": \"cam\"}");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 1).id.text, "own");
    assert_int_equal(tn_dataset_class(d, 1, &c), TN_OK);
    assert_string_equal(c.parent, "no");
    assert_int_equal(c.n_keypoints, 2);
    assert_string_equal(tn_dataset_keypoint_name(d, 1, 1), "r");
    assert_box(d, 0, 1.5, 2, 4.5, 6);
    assert_int_equal(ann_of(d, 0).id.number, 4);
    assert_true((ann_of(d, 0).flags & TN_IS_OCCLUDED) != 0);
    assert_true(tn_dataset_num(d, 0, TN_NUM_SCORE, &v) && v == 0.5);
    assert_true(tn_dataset_num(d, 0, TN_NUM_GROUP, &v) && v == 3.0);
    assert_true(tn_dataset_num(d, 0, TN_NUM_Z, &v) && v == 2.0);
    assert_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"truncated\": false}");
    assert_int_equal(ann_of(d, 1).id.kind, TN_ID_NONE);
    assert_true((ann_of(d, 1).flags & TN_IS_CROWD) != 0);
    assert_true(tn_dataset_num(d, 1, TN_NUM_TRACK, &v) && v == 9.0);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0), "\"object_id\": -1");
    shape_of(d, 1, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_true(s.n_points == 3 && s.xy[5] == 8.5);
    assert_int_equal(tn_dataset_keypoints(d, 2, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 2);
    assert_int_equal(s.visible[0], 2);
    assert_int_equal(s.visible[1], 0);
    shape_of(d, 3, &s);
    assert_int_equal(s.n_runs, 5);
    shape_of(d, 4, &s);
    assert_int_equal(s.kind, TN_SHAPE_ELLIPSE);
    assert_box(d, 4, 2, 2, 6, 4);
    assert_true((ann_of(d, 6).flags & TN_IS_TAG) != 0);
    assert_text(tn_dataset_text(d, 7, TN_TEXT_CAPTION, 0),
                "\"hi \\\"you\\\"\"");
    assert_text(tn_dataset_text(d, 8, TN_TEXT_EXTRA, 0),
                "\"type\": \"cuboid_3d\"");
    assert_text(tn_dataset_text(d, 8, TN_TEXT_EXTRA, 1),
                "\"position\": [1, 2, 3]");
    shape_of(d, 9, &s);
    assert_int_equal(s.kind, TN_SHAPE_POINTS);
    tn_shape_fini(&s);
}

static void reads_everything(void **state)
{
    (void)state;
    tn_dataset *d = open_text(NULL, "x.json", full);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_string_equal(info_of(d).format, "datumaro");
    look_at_full(d);
    assert_int_equal(noted(d, "other-type"), 1);
    assert_memory_equal(full + ann_of(d, 1).place.offset,
                        "{\"id\": 0, \"type\": \"polygon\"", 26);
    tn_dataset_close(d);
}

static void round_trip_is_the_same(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text("datumaro", "x.json", full);
    assert_non_null(d);
    tmp_path(to, dir, "out.json");
    must_convert(d, to, "datumaro", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_full(d);
    tmp_path(to, dir, "folder");
    must_convert(d, to, "datumaro", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_full(d);
    tn_dataset_close(d);
}

static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "datumaro");
    look_at_full(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "datumaro", NULL);
    tn_dataset_close(d);
    same_file(GOLDEN "datumaro/annotations", "default.json", to,
              "annotations/default.json");
}

/* Files are splits; "default" is none. Classes are one list. */
static void files_are_splits(void **state)
{
    (void)state;
    char to[TMP_PATH];
    put("s/annotations/train.json",
        "{\"categories\": {\"label\": {\"labels\": [{\"name\": \"a\"}]}}, "
        "\"items\": [{\"id\": \"x\", \"annotations\": [{\"type\": \"label\", "
        "\"label_id\": 0}], \"image\": {\"path\": \"x.png\"}}]}");
    put("s/annotations/default.json",
        "{\"categories\": {\"label\": {\"labels\": [{\"name\": \"b\"}, "
        "{\"name\": \"a\"}]}}, \"items\": [{\"id\": \"x\", \"annotations\": "
        "[{\"type\": \"label\", \"label_id\": 1}], \"image\": {\"path\": "
        "\"x.png\"}}]}");
    put("s/images/train/x.png", "");
    tmp_path(to, dir, "s");
    tn_dataset *d = open_as("datumaro", to);
    assert_int_equal(info_of(d).n_classes, 2);
    assert_int_equal(info_of(d).n_splits, 1);
    assert_int_equal(image_of(d, 0).splits, 0);
    assert_int_equal(image_of(d, 1).splits, 1);
    assert_non_null(image_of(d, 1).file);
    assert_string_equal(class_of(d, 0), "a");
    assert_string_equal(class_of(d, 1), "a");
    tmp_path(to, dir, "out");
    must_convert(d, to, "datumaro", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(image_of(d, 1).splits, 1);
    tn_dataset_close(d);
}

/* COCO there and back, with fields that are called like Datumaro's own. */
/* What the owners of the two formats take: COCO's outlines are lists of lists,
 * Datumaro's runs are text. */
static void what_the_owners_read(void **state)
{
    (void)state;
    static const char coco[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.png\", \"width\": 4, "
        "\"height\": 4}], \"categories\": [{\"id\": 1, \"name\": \"x\"}], "
        "\"annotations\": [{\"id\": 1, \"image_id\": 1, \"category_id\": 1, "
        "\"bbox\": [0, 0, 4, 4], \"segmentation\": [[0, 0, 4, 0, 4, 4]]}, "
        "{\"id\": 2, \"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 0, 1, "
        "4], \"segmentation\": {\"counts\": [5, 2, 2, 0, 3, 4], \"size\": [4, "
        "4]}}]}";
    char out[TMP_PATH];
    size_t size = 0;
    tn_dataset *d = open_text("coco", "x.json", coco);
    if (d == NULL) fail_msg("%s", err.message);
    tmp_path(out, dir, "dm");
    must_convert(d, out, "datumaro", "all");
    tn_dataset_close(d);
    char *text = bytes_of(out, "annotations/default.json", &size);
    assert_non_null(strstr(text, "\"points\": [0, 0, 4, 0, 4, 4]"));
    assert_non_null(
        strstr(text, "\"rle\": {\"counts\": \"522N14\", \"size\": [4, 4]}"));
    free(text);
    d = open_as("datumaro", out);
    tmp_path(out, dir, "back.json");
    must_convert(d, out, "coco", "all");
    tn_dataset_close(d);
    text = bytes_of(dir, "back.json", &size);
    assert_non_null(strstr(text, "\"segmentation\": [[0"));
    free(text);
}

static void coco_comes_back(void **state)
{
    (void)state;
    char to[TMP_PATH], back[TMP_PATH], lost[400];
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"info\": {\"year\": 1}, \"images\": [{\"id\": 7, \"file_name\": "
        "\"a.jpg\", \"width\": 9, \"height\": 8}], \"annotations\": [{\"id\": "
        "1, \"image_id\": 7, \"category_id\": 3, \"bbox\": [0, 0, 9, 8], "
        "\"segmentation\": [[0,0,9,0,9,8]], \"area\": 36, \"iscrowd\": 0, "
        "\"type\": \"mine\", \"attributes\": {\"a\": 1}},"
        "{\"id\": 2, \"image_id\": 7, \"category_id\": 3, \"bbox\": [1, 1, 2, "
        "2], \"keypoints\": [1,1,2], \"num_keypoints\": 1}], "
        "\"categories\": [{\"id\": 3, \"name\": \"x\", \"keypoints\": "
        "[\"k\"], \"skeleton\": [[1, 1]]}]}");
    assert_non_null(d);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "datumaro", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "areas,class-ids");
    must_convert(d, to, "datumaro", lost);
    tn_dataset_close(d);
    d = open_as("datumaro", to);
    tmp_path(back, dir, "back.json");
    must_convert(d, back, "coco", "all");
    tn_dataset_close(d);
    d = open_as("coco", back);
    assert_int_equal(image_of(d, 0).id.number, 7);
    assert_int_equal(ann_of(d, 0).id.number, 1);
    assert_box(d, 1, 1, 1, 3, 3);
    assert_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0), "{\"a\": 1}");
    shape_of(d, 0, &s);
    assert_int_equal(s.n_points, 3);
    assert_int_equal(tn_dataset_keypoints(d, 1, &s, &err), TN_OK);
    assert_int_equal(s.visible[0], 2);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *ann, *says;
    } cases[] = {
        {"{\"id\": 1}", "an annotation has no 'type'"},
        {"{\"type\": \"bbox\"}", "type bbox has no bbox"},
        {"{\"type\": \"bbox\", \"bbox\": [1, 2]}", "a bbox has 2 numbers"},
        {"{\"type\": \"polygon\"}", "type polygon has no points"},
        {"{\"type\": \"polygon\", \"points\": [1]}", "has no whole points"},
        {"{\"type\": \"polygon\", \"points\": [1, NaN]}", "found 'N'"},
        {"{\"type\": \"ellipse\", \"points\": [1, 2]}", "no two points"},
        {"{\"type\": \"mask\"}", "type mask has no rle"},
        {"{\"type\": \"points\", \"points\": [1, 2], \"visibility\": [1, 1]}",
         "1 points do not have as many visibilities"},
        {"{\"type\": \"points\", \"points\": [1, 2, 3, 4], \"visibility\": "
         "[1]}",
         "2 points do not have as many visibilities"},
        {"{\"type\": ", "where a value is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "{\"items\": [{\"id\": \"a\", \"annotations\": [%s]}]}",
                       cases[i].ann);
        refused("datumaro", "x.json", text, cases[i].says);
    }
    refused("datumaro", "x.json", "{}", "there is no list 'items'");
    refused("datumaro", "x.json", "{\"items\": [{}]}", "an item has no 'id'");
    refused("datumaro", "x.json",
            "{\"items\": [{\"id\": \"a\", \"image\": {\"size\": [1]}}]}",
            "a size has 1 numbers, expected 2: height, width");
    assert_null(try_open("datumaro", dir));
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    tmp_write(dir, "x.json", full, sizeof full - 1);
    tmp_path(path, dir, "x.json");
    survives_oom(path, "datumaro");
}

/* Counts that an independent program made of the shared fixtures. */
static void shared_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t images, annotations, classes;
    } rows[] = {
        {"datumaro-assets/datumaro_dataset/legacy", 4, 7, 4},
        {"datumaro-assets-cvat/datumaro_dataset/with_skeleton", 1, 1, 4},
        {"datumaro-assets-cvat/datumaro_dataset/with_pcd", 3, 1, 1},
        /* a label_id that is not listed is a class of its own */
        {"datumaro-assets-cvat/datumaro_dataset/diverse", 7, 13, 6},
    };
    int n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[1024];
        if (!shared(file, rows[i].name)) continue;
        tn_dataset *d = open_as(NULL, file);
        assert_string_equal(info_of(d).format, "datumaro");
        assert_int_equal(info_of(d).n_images, rows[i].images);
        assert_int_equal(info_of(d).n_annotations, rows[i].annotations);
        assert_int_equal(info_of(d).n_classes, rows[i].classes);
        tn_dataset_close(d);
        n++;
    }
    if (n == 0) skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(round_trip_is_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(golden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_splits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_owners_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(coco_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_lack_of_memory, set_up,
                                        tear_down),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
