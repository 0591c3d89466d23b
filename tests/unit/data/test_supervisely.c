/* SPDX-License-Identifier: Apache-2.0 */
/* test_supervisely.c - Supervisely: reading, traps, hostile input, round
 * trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <math.h>

/* Rows 101, 011 of a palette whose first colour is transparent: a PNG, and the
 * same compressed once more. */
#define PNG                                                                    \
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAMAAACqqpYoAAAABlBMVEUAAAD///+l2Z/dAAAA" \
    "AXRSTlMAQObYZgAAABBJREFUeJxjYGRgZGBgZAQAABcABbV0n0gAAAAASUVORK5CYII="
#define STORED                                                                 \
    "eAEBaACX/4lQTkcNChoKAAAADUlIRFIAAAADAAAAAggDAAAAqqqWKAAAAAZQTFRFAAAA////" \
    "pdmf3QAAAAF0Uk5TAEDm2GYAAAAQSURBVHicY2BkYGRgYGQEAAAXAAW1dJ9IAAAAAElFTkSu" \
    "QmCCzNwadQ=="

#define META                                                                   \
    "{\"classes\": [{\"title\": \"c\", \"shape\": \"any\"}], \"tags\": []}"
#define ANN(object)                                                            \
    "{\"description\": \"\", \"tags\": [], \"size\": {\"height\": 10, "        \
    "\"width\": 20}, \"objects\": [" object "]}"

static uint32_t flags_of(const tn_dataset *d, size_t ann)
{
    return ann_of(d, ann).flags;
}

/* The file of one image in a project beside it. */
static tn_dataset *open_ann(const char *text)
{
    put("p/meta.json", META);
    put("p/d/ann/a.png.json", text);
    tmp_path(path, dir, "p");
    return try_open(NULL, path);
}

static void look_at_golden(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    double v = 0.0;
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 11);
    assert_int_equal(info_of(d).n_classes, 4);
    assert_string_equal(image_of(d, 0).name, "z.png"); /* of ds0: no split */
    assert_int_equal(image_of(d, 0).splits, 0);
    assert_int_equal(image_of(d, 0).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 1).name, "a b 1.png");
    assert_int_equal(image_of(d, 1).splits, 1);
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_string_equal(image_of(d, 2).name, "b/e.jpg"); /* nested */
    assert_text(tn_dataset_image_text(d, 1, TN_TEXT_ATTRIBUTES, 0),
                "{\"weather\": \"rain\"}");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_CAPTION, 0), "\"a street\"");
    assert_true((flags_of(d, 1) & TN_IS_TAG) != 0);
    assert_string_equal(class_of(d, 1), "day");
    assert_box(d, 2, 10, 20, 100.5, 80);
    assert_int_equal(ann_of(d, 2).id.number, 11);
    assert_text(tn_dataset_text(d, 2, TN_TEXT_CAPTION, 0), "\"left\"");
    assert_text(tn_dataset_text(d, 2, TN_TEXT_ATTRIBUTES, 0),
                "{\"size\": \"big\", \"count\": 3, \"bad\": true}");
    assert_true(tn_dataset_num(d, 2, TN_NUM_GROUP, &v) && v == 5.0);
    shape_of(d, 3, &s);
    assert_int_equal(s.n_rings, 2);
    assert_int_equal(s.ring_holes[1], 1);
    assert_text(tn_dataset_text(d, 3, TN_TEXT_ATTRIBUTES, 0),
                "{\"size\": \"small\"}");
    shape_of(d, 4, &s);
    assert_int_equal(s.n_rings, 3);
    assert_int_equal(s.ring_holes[1], 0);
    assert_int_equal(s.ring_holes[2], 1);
    shape_of(d, 5, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYLINE);
    assert_int_equal(s.n_points, 3);
    shape_of(d, 6, &s);
    assert_int_equal(s.kind, TN_SHAPE_POINTS);
    assert_int_equal(tn_dataset_keypoints(d, 7, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 2);
    assert_true(s.xy[0] == 10.0 && s.xy[2] == 30.0);
    assert_int_equal(s.visible[0], 2);
    assert_int_equal(s.visible[1], 1);
    assert_string_equal(
        tn_dataset_keypoint_name(d, ann_of(d, 7).class_index, 0), "nose");
    assert_true(tn_dataset_num(d, 8, TN_NUM_ANGLE, &v));
    assert_true(fabs(v - 28.64788975654116) < 1e-9);
    shape_of(d, 9, &s);
    assert_int_equal(s.kind, TN_SHAPE_CUBOID);
    assert_int_equal(noted(d, "other-type"), 1);
    tn_shape_fini(&s);
}

/* It has no bitmap: what a PNG is compressed to depends on the zlib. */
static void golden(void **state)
{
    (void)state;
    static const char *const files[] = {"meta.json", "ds0/ann/z.png.json",
                                        "train/ann/a b 1.png.json",
                                        "train/datasets/b/ann/e.jpg.json"};
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "supervisely"); /* recognised */
    assert_string_equal(info_of(d).format, "supervisely");
    look_at_golden(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "supervisely", NULL);
    tn_dataset_close(d);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        same_file(GOLDEN "supervisely", files[i], to, files[i]);
    d = open_as(NULL, to);
    look_at_golden(d);
    tn_dataset_close(d);
}

/* Bitmaps as they are found, in old files and new ones; they come back. */
static void bitmaps(void **state)
{
    (void)state;
    static const uint32_t runs[7] = {21, 1, 10, 1, 8, 2, 157};
    static const char *const data[] = {PNG, STORED};
    char text[700], to[TMP_PATH];
    tn_shape s = TN_SHAPE_INIT;
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text,
                       ANN("{\"classTitle\": \"c\", %s\"bitmap\": {\"origin\": "
                           "[2, 1], \"data\": \"%s\"}}"),
                       i == 0 ? "\"geometryType\": \"bitmap\", " : "", data[i]);
        tn_dataset *d = open_ann(text);
        if (d == NULL) fail_msg("%s: %s", err.where, err.message);
        tmp_path(to, dir, i == 0 ? "o1" : "o2");
        must_convert(d, to, "supervisely", NULL);
        for (int again = 0; again < 2; again++) {
            shape_of(d, 0, &s);
            assert_int_equal(s.kind, TN_SHAPE_RLE);
            assert_int_equal(s.n_runs, 7);
            assert_memory_equal(s.runs, runs, sizeof runs);
            tn_dataset_close(d);
            d = again == 0 ? open_as(NULL, to) : NULL;
        }
    }
    tn_shape_fini(&s);
}

/* x.json of x.jpg, types that only the class has, a class that meta.json has
 * not, images without a file, "geometry" in between. */
static void old_files(void **state)
{
    (void)state;
    char file[TMP_PATH];
    put("p/meta.json",
        "{\"classes\": [{\"title\": \"c\", \"shape\": \"rectangle\"}]}");
    put("p/d/ann/x.json",
        ANN("{\"classTitle\": \"c\", \"points\": {\"exterior\": "
            "[[5, 6], [1, 2]], \"interior\": []}}, {\"classTitle\": \"new\", "
            "\"geometryType\": \"polygon\", \"geometry\": {\"points\": "
            "{\"exterior\": [[1, 1], [2, 1], [2, 2]]}}}"));
    put("p/d/img/x.jpg", "");
    put("p/d/img/y.png", "");
    put("p/d/meta/y.png.json", "{}");
    tmp_path(path, dir, "p");
    tn_dataset *d = open_as(NULL, path);
    assert_int_equal(info_of(d).n_images, 2);
    assert_string_equal(image_of(d, 0).name, "x.jpg");
    assert_non_null(image_of(d, 0).file);
    assert_int_equal(image_of(d, 1).state, TN_STATE_UNKNOWN);
    assert_box(d, 0, 1, 2, 5, 6);
    assert_int_equal(tn_dataset_shape_kind(d, 1), TN_SHAPE_POLYGON);
    assert_int_equal(noted(d, "orphan-class"), 1);
    assert_int_equal(noted(d, "other-file"), 1);
    tn_dataset_close(d);
    tmp_path(file, dir, "p/d"); /* one dataset, one file */
    d = open_as(NULL, file);
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_splits, 0);
    tn_dataset_close(d);
    tmp_path(file, dir, "p/d/ann/x.json");
    d = open_as(NULL, file);
    assert_int_equal(info_of(d).n_images, 1);
    assert_box(d, 0, 1, 2, 5, 6); /* the class says how */
    tn_dataset_close(d);
}

/* COCO with all it has goes there and comes back by the residue. */
static void losses_come_back(void **state)
{
    (void)state;
    static const char coco[] =
        "{\"info\": {\"year\": 2020}, \"images\": [{\"id\": 5, "
        "\"file_name\": \"x/a b.jpg\", \"width\": 90, \"height\": 60}, "
        "{\"id\": 6, \"file_name\": \"x/a b.png\", \"width\": 9, \"height\": "
        "9}], \"annotations\": [{\"id\": 1, \"image_id\": 5, \"category_id\": "
        "3, \"bbox\": [1, 2, 30, 40], \"keypoints\": [1, 2, 2, 3, 4, 1, 0, 0, "
        "0, 5, 6, 0], \"num_keypoints\": 2, \"iscrowd\": 0},"
        "{\"id\": 1, \"image_id\": 5, \"category_id\": 3, \"bbox\": "
        "[0, 0, 9, 9], \"segmentation\": [[0,0,9,0,9,9],[1,2,1,3,2,3]], "
        "\"iscrowd\": 0, \"area\": 5},"
        "{\"id\": 3, \"image_id\": 6, \"category_id\": 4, \"bbox\": "
        "[0, 0, 2, 1], \"segmentation\": {\"counts\": [0, 1, 8, 1, 71], "
        "\"size\": [9, 9]}, \"iscrowd\": 1, \"attributes\": {\"a\": true, "
        "\"b\": [1]}}], "
        "\"categories\": [{\"id\": 3, \"name\": \"x\", \"supercategory\": "
        "\"y\", \"keypoints\": [\"a\", \"b\", \"c\", \"d\"]}, {\"id\": 4, "
        "\"name\": \"M\\u00fcnchen\"}, {\"id\": 0, \"name\": \"no\"}]}";
    char to[TMP_PATH], lost[400], back[TMP_PATH];
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_text("coco", "x.json", coco);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "supervisely", NULL, lost),
                     TN_EUNSUPPORTED);
    assert_string_equal(lost, "attributes,crowd,areas,supercategories,"
                              "dataset-fields");
    must_convert(d, to, "supervisely", lost);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_string_equal(image_of(d, 0).name, "x/a b.jpg");
    assert_int_equal(image_of(d, 1).id.number, 6);
    assert_int_equal(info_of(d).n_annotations, 3);
    assert_int_equal(ann_of(d, 1).id.number, 1);
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_OK);
    const uint8_t visible[4] = {2, 1, 0, 0};
    assert_memory_equal(s.visible, visible, 4);
    assert_true(s.xy[6] == 5.0 && s.xy[4] == 0.0);
    assert_box(d, 0, 1, 2, 31, 42);
    shape_of(d, 1, &s);
    assert_int_equal(s.n_rings, 2);
    assert_true((flags_of(d, 2) & TN_IS_CROWD) != 0);
    assert_text(tn_dataset_text(d, 2, TN_TEXT_ATTRIBUTES, 0),
                "{\"a\": true, \"b\": [1]}");
    tn_shape_fini(&s);
    tmp_path(back, dir, "back.json");
    must_convert(d, back, "coco", NULL);
    tn_dataset_close(d);
}

/* Classes of images and texts keep their place among objects, or are lost. */
static void order_of_rows(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"size\": {\"height\": 9, \"width\": 9}, \"objects\": "
        "[{\"classTitle\": \"c\", \"geometryType\": \"point\", \"points\": "
        "{\"exterior\": [[1, 1]]}}], \"tags\": [{\"name\": \"t\"}], "
        "\"description\": \"d\"}",
        "{\"tags\": [{\"name\": \"t\"}], \"description\": \"d\", \"size\": "
        "{\"height\": 9, \"width\": 9}, \"objects\": []}"};
    char to[TMP_PATH];
    for (size_t i = 0; i < 2; i++) {
        tn_dataset *d = open_ann(texts[i]);
        if (d == NULL) fail_msg("%s: %s", err.where, err.message);
        assert_true((flags_of(d, i == 0 ? 1 : 0) & TN_IS_TAG) != 0);
        tmp_path(to, dir, i == 0 ? "o1" : "o2");
        must_convert(d, to, "supervisely", NULL);
        tn_dataset_close(d);
    }
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *object, *says;
    } cases[] = {
        {"{}", "an object has no 'classTitle'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"rectangle\"}",
         "an object of type 'rectangle' has no list 'exterior'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"rectangle\", "
         "\"points\": {\"exterior\": [[1, 2]]}}",
         "has not two points"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"polygon\", "
         "\"points\": {\"exterior\": [[1, 2, 3]]}}",
         "a point has 3 numbers"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"point\", "
         "\"points\": {\"exterior\": []}}",
         "has no points"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"multipolygon\"}",
         "has no list 'parts'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"oriented_bbox\"}",
         "has no list 'points'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"oriented_bbox\", "
         "\"points\": [[1, 2], [3, 4]]}",
         "has no 'angle'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"graph\"}",
         "has no 'nodes'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"graph\", \"nodes\": "
         "{\"a\": {}}}",
         "has a node without 'loc'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"bitmap\"}",
         "a bitmap has no text 'data'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"bitmap\", \"bitmap\": "
         "{\"data\": \"\", \"origin\": [1]}}",
         "the origin of a bitmap"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"bitmap\", \"bitmap\": "
         "{\"data\": \"***\", \"origin\": [1, 2]}}",
         "base64 is broken"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"bitmap\", \"bitmap\": "
         "{\"data\": \"eAEBaACX\", \"origin\": [1, 2]}}",
         "byte"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"bitmap\", \"bitmap\": "
         "{\"data\": \"" PNG "\", \"origin\": [19, 2]}}",
         "leaves its image of 20 x 10"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"point\", \"tags\": [{}],"
         " \"points\": {\"exterior\": [[1, 1]]}}",
         "a tag has no 'name'"},
        {"{\"classTitle\": \"c\", \"geometryType\": \"line\", \"points\": "
         "{\"exterior\": [[1, NaN]]}}",
         "found 'N'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[900];
        (void)snprintf(text, sizeof text, ANN("%s"), cases[i].object);
        refused("supervisely", "a.png.json", text, cases[i].says);
        assert_non_null(strstr(err.message, "(line 1, column "));
    }
    refused("supervisely", "a.png.json", "{\"tags\": []}",
            "there is no list 'objects'");
    refused("supervisely", "a.png.json",
            "{\"size\": {\"width\": -1}, \"objects\": []}",
            "no whole number of pixels");
    put("q/meta.json", "{\"tags\": []}");
    tmp_path(path, dir, "q");
    assert_null(try_open("supervisely", path));
    assert_non_null(strstr(err.message, "there is no list 'classes'"));
    assert_non_null(strstr(err.where, "meta.json"));
    put("q/meta.json", "{\"classes\": [{\"shape\": \"any\"}]}");
    assert_null(try_open("supervisely", path));
    assert_non_null(strstr(err.message, "a class has no 'title'"));
    put("q/meta.json", "{\"classes\": [{\"title\": \"a\"}, {\"title\": "
                       "\"a\"}]}");
    assert_null(try_open("supervisely", path));
    assert_non_null(strstr(err.message, "two classes are called 'a'"));
    put("r/x.txt", "");
    tmp_path(path, dir, "r");
    assert_null(try_open("supervisely", path));
    assert_non_null(strstr(err.message, "no Supervisely dataset"));
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "supervisely", "supervisely");
    tn_dataset *d = open_ann(
        ANN("{\"classTitle\": \"c\", \"geometryType\": \"bitmap\", \"bitmap\": "
            "{\"data\": \"" STORED "\", \"origin\": [1, 2]}}"));
    assert_non_null(d);
    tn_dataset_close(d);
    survives_oom(path, "supervisely");
}

static void shared_fixture(void **state)
{
    (void)state;
    char file[1024];
    if (!shared(file, "panlabel-fixtures/sample_valid.supervisely.json"))
        skip();
    tn_dataset *d = open_as(NULL, file);
    assert_string_equal(info_of(d).format, "supervisely");
    assert_int_equal(info_of(d).n_images, 1);
    assert_int_equal(info_of(d).n_annotations, 3);
    assert_box(d, 0, 10, 20, 100, 80);
    assert_string_equal(ann_of(d, 1).id.text, "poly-1");
    assert_int_equal(tn_dataset_shape_kind(d, 2), TN_SHAPE_POLYGON);
    tn_dataset_close(d);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(golden),
        IN_FOLDER(bitmaps),
        IN_FOLDER(old_files),
        IN_FOLDER(losses_come_back),
        IN_FOLDER(order_of_rows),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(survives_lack_of_memory),
        IN_FOLDER(shared_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
