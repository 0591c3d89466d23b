/* SPDX-License-Identifier: Apache-2.0 */
/* test_label_studio.c - Label Studio: reading, traps, hostile input, round
 * trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include <math.h>

/* One region of an image of 200 x 100, in the one annotation of its task. */
#define TASK(result)                                                           \
    "[{\"id\": 1, \"data\": {\"image\": \"a.jpg\"}, \"annotations\": "         \
    "[{\"result\": [" result "]}]}]"
#define RESULT(type, value)                                                    \
    "{\"id\": \"r\", \"type\": \"" type "\", \"from_name\": \"f\", "           \
    "\"to_name\": \"image\", \"original_width\": 200, \"original_height\": "   \
    "100, \"value\": {" value "}}"

static uint32_t flags_of(const tn_dataset *d, size_t ann)
{
    return ann_of(d, ann).flags;
}

static const char *extra_of(const tn_dataset *d, size_t ann, const char *key,
                            char out[300])
{
    for (size_t k = 0;; k++) {
        const tn_bytes t = tn_dataset_text(d, ann, TN_TEXT_EXTRA, k);
        if (t.data == NULL) return "";
        if (strncmp(t.data + 1, key, strlen(key)) != 0) continue;
        (void)snprintf(out, 300, "%.*s", (int)t.size, t.data);
        return out;
    }
}

static void look_at_rows(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    double v = 0.0;
    shape_of(d, 1, &s); /* 100, 20; 20 x 40 turned by 90 about that corner */
    assert_int_equal(s.kind, TN_SHAPE_QUAD);
    const double quad[8] = {100, 20, 100, 40, 60, 40, 60, 20};
    for (int i = 0; i < 8; i++) assert_true(fabs(s.xy[i] - quad[i]) < 1e-9);
    assert_true(tn_dataset_num(d, 1, TN_NUM_SCORE, &v) && v == 0.5);
    assert_string_equal(class_of(d, 1), "no");
    assert_string_equal(class_of(d, 2), "yes"); /* of the same region */
    shape_of(d, 3, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_int_equal(s.n_points, 3);
    assert_true(s.xy[4] == 41.0 && s.xy[5] == 30.0);
    assert_text(tn_dataset_text(d, 3, TN_TEXT_ATTRIBUTES, 0),
                "{\"stars\": 3, \"tax\": [[\"x\", \"y\"]]}");
    shape_of(d, 4, &s);
    assert_int_equal(s.kind, TN_SHAPE_ELLIPSE);
    assert_true(s.xy[0] == 100.0 && s.xy[2] == 10.0 && s.xy[3] == 20.0);
    assert_true(s.xy[4] == 30.0);
    shape_of(d, 5, &s);
    assert_int_equal(s.kind, TN_SHAPE_POINTS);
    assert_true(s.xy[0] == 3.0 && s.xy[1] == 2.5);
    assert_int_equal(ann_of(d, 6).class_index, TN_NONE);
    assert_box(d, 6, 2, 2, 8, 6);
    for (size_t i = 7; i < 10; i++)
        assert_true((flags_of(d, i) & TN_IS_TAG) != 0);
    assert_string_equal(class_of(d, 8), "rain");
    assert_string_equal(class_of(d, 9), "road/urban");
    assert_text(tn_dataset_text(d, 10, TN_TEXT_CAPTION, 0), "\"a street\"");
    assert_true(tn_dataset_num(d, 12, TN_NUM_SCORE, &v) && v == 0.25);
    shape_of(d, 13, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    const uint32_t runs[9] = {5, 1, 3, 2, 3, 1, 3, 1, 1};
    uint32_t sum = 0;
    for (size_t i = 0; i < s.n_runs; i++) sum += s.runs[i];
    assert_int_equal(sum, 20);
    (void)runs;
    assert_box(d, 13, 1, 1, 5, 4);
    tn_shape_fini(&s);
}

static void look_at_golden(const tn_dataset *d)
{
    char text[300];
    tn_shape s = TN_SHAPE_INIT;
    assert_int_equal(info_of(d).n_images, 4);
    assert_int_equal(info_of(d).n_annotations, 14);
    assert_string_equal(image_of(d, 0).name,
                        "upload/3/1a2b3c4d-M\xc3\xbcnchen 1.jpg");
    assert_int_equal(image_of(d, 0).width, 200);
    assert_int_equal(image_of(d, 0).id.number, 7);
    assert_string_equal(image_of(d, 1).name, "set/b.png");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 2).name, "set/c.png");
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
    assert_string_equal(image_of(d, 3).name, "some dir/d.png");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"batch\": 3}");
    assert_string_equal(class_of(d, 0), "a: b");
    assert_box(d, 0, 20, 20, 80, 60);
    assert_string_equal(ann_of(d, 0).id.text, "r1");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"quality\": \"blurred\", \"plate\": \"ABC 123\", "
                "\"count\": 4}");
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 2);
    assert_true(s.xy[0] == 24.0 && s.xy[3] == 24.0);
    assert_int_equal(s.visible[0], 2);
    assert_int_equal(s.visible[1], 1); /* hidden */
    assert_string_equal(
        tn_dataset_keypoint_name(d, ann_of(d, 0).class_index, 1), "ear");
    tn_shape_fini(&s);
    look_at_rows(d);
    assert_string_equal(extra_of(d, 11, "annotation", text),
                        "\"annotation\": {\"index\": 1, \"id\": 23, "
                        "\"completed_by\": 2}");
    assert_string_equal(extra_of(d, 11, "readonly", text),
                        "\"readonly\": true");
    assert_string_equal(extra_of(d, 12, "prediction", text),
                        "\"prediction\": {\"index\": 0, \"id\": 5, "
                        "\"model_version\": \"m1\", \"score\": 0.75}");
    assert_int_equal(noted(d, "several-annotations"), 1);
    assert_int_equal(noted(d, "cancelled"), 1);
    assert_int_equal(noted(d, "other-type"), 1);
}

/* Everything there is, read; the golden file is what the writer makes of it. */
static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "label-studio"); /* recognised */
    assert_string_equal(info_of(d).format, "label-studio");
    look_at_golden(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "label-studio", NULL);
    tn_dataset_close(d);
    same_file(GOLDEN "label-studio", "tasks.json", to, "tasks.json");
    same_file(GOLDEN "label-studio", "label_config.xml", to,
              "label_config.xml");
    d = open_as(NULL, to);
    look_at_golden(d);
    tn_dataset_close(d);
}

/* JSON-MIN: each record an annotation, those of a task together. */
static void json_min(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"image\": \"/data/upload/3/a.png\", \"id\": 1, \"label\": "
        "[{\"x\": 1, \"y\": 2, \"width\": 3, \"height\": 4, \"rotation\": 0, "
        "\"rectanglelabels\": [\"c\"], \"original_width\": 200, "
        "\"original_height\": 100}], \"choice\": {\"choices\": [\"x\", "
        "\"y\"]}, \"annotator\": 1, \"annotation_id\": 4, \"created_at\": "
        "\"2024\", \"updated_at\": \"2024\", \"lead_time\": 1.5}, "
        "{\"image\": \"/data/upload/3/a.png\", \"id\": 1, \"label\": [], "
        "\"annotator\": 2, \"annotation_id\": 5, \"lead_time\": 1}]";
    char to[TMP_PATH], lost[400];
    tn_dataset *d = open_text(NULL, "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(info_of(d).n_images, 1);
    assert_int_equal(info_of(d).n_annotations, 3);
    assert_box(d, 0, 2, 2, 8, 6);
    assert_string_equal(class_of(d, 2), "y");
    tmp_path(to, dir, "min.json");
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    o.format = "label-studio";
    o.variant = "min";
    o.allow_loss = "all";
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    size_t n = 0;
    char *made = bytes_of(dir, "min.json", &n);
    assert_string_equal(
        made, "[\n  {\"id\": 1, \"image\": "
              "\"/data/local-files/?d=upload/3/a.png\",\n    \"label\": "
              "[{\"x\": 1, \"y\": 2, \"width\": 3, \"height\": 4, "
              "\"rotation\": 0, \"rectanglelabels\": [\"c\"], "
              "\"original_width\": 200, \"original_height\": 100}],\n    "
              "\"choice\": [{\"choices\": [\"x\"]}, {\"choices\": "
              "[\"y\"]}],\n    \"annotation_id\": null}\n]\n");
    free(made);
    tmp_path(to, dir, "full.json");
    assert_int_equal(convert(d, to, "label-studio", NULL, lost), TN_OK);
    tn_dataset_close(d);
    d = open_as("label-studio", to);
    assert_int_equal(info_of(d).n_annotations, 3);
    tn_dataset_close(d);
}

/* A rectangle that `labels` names, an answer about it, two images of a task, a
 * task that is about none. */
static void labels_beside_regions(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"id\": 86, \"data\": {\"images\": [{\"url\": "
        "\"https://e.org/1.jpeg\"}, {\"url\": \"https://e.org/2.jpeg\"}]}, "
        "\"annotations\": [{\"result\": ["
        "{\"id\": \"A\", \"type\": \"rectangle\", \"from_name\": \"bbox\", "
        "\"to_name\": \"page_1\", \"original_width\": 200, "
        "\"original_height\": 100, \"value\": {\"x\": 1, \"y\": 2, "
        "\"width\": 3, \"height\": 4}, \"item_index\": 1},"
        "{\"id\": \"A\", \"type\": \"labels\", \"from_name\": \"l\", "
        "\"to_name\": \"page_1\", \"value\": {\"x\": 1, \"y\": 2, "
        "\"width\": 3, \"height\": 4, \"labels\": [\"T\"]}},"
        "{\"id\": \"A\", \"type\": \"textarea\", \"from_name\": \"t\", "
        "\"to_name\": \"page_1\", \"value\": {\"text\": [\"x\"]}}]}]},"
        "{\"id\": 1, \"data\": {\"text\": \"x\"}, \"completions\": "
        "[{\"skipped\": true, \"result\": []}]}]";
    char to[TMP_PATH];
    tn_dataset *d = open_text("label-studio", "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    tmp_path(to, dir, "out.json");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(info_of(d).n_images, 2);
        assert_int_equal(info_of(d).n_annotations, 1);
        assert_int_equal(ann_of(d, 0).image, 1);
        assert_string_equal(class_of(d, 0), "T");
        assert_box(d, 0, 2, 2, 8, 6);
        assert_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                    "{\"t\": \"x\"}");
        assert_int_equal(noted(d, "no-image"), 1);
        if (again == 0) {
            assert_int_equal(noted(d, "several-images"), 1);
            must_convert(d, to, "label-studio", NULL);
            tn_dataset_close(d);
            d = open_as("label-studio", to);
        }
    }
    tn_dataset_close(d);
}

/* Two places, one name; embedded images; paths that leave; EXIF names none. */
static void names_of_images(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"id\": 1, \"data\": {\"image\": \"https://a.org/x/1.jpg?k=2\"}, "
        "\"annotations\": []},"
        "{\"id\": 2, \"data\": {\"image\": \"https://b.org/x/1.jpg\"}, "
        "\"annotations\": []},"
        "{\"id\": 3, \"data\": {\"image\": \"data:image/png;base64,AA==\"}, "
        "\"annotations\": []},"
        "{\"id\": 4, \"data\": {\"note\": \"n\", \"photo\": "
        "\"/data/local-files/?d=a%2Fb%20c.png\"}, \"annotations\": []},"
        "{\"id\": 5, \"data\": {\"image\": \"../../etc/x.png\"}, "
        "\"annotations\": []},"
        "{\"id\": 6, \"data\": {\"image\": \"gs://bucket/%FF.png\"}, "
        "\"annotations\": []}]";
    static const char *const names[] = {"x/1.jpg",         "b.org/x/1.jpg",
                                        "task-3",          "a/b c.png",
                                        "../../etc/x.png", "%FF.png"};
    char lost[400], to[TMP_PATH];
    tn_dataset *d = open_text("label-studio", "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(info_of(d).n_images, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(image_of(d, i).name, names[i]);
        assert_int_equal(image_of(d, i).state, TN_STATE_UNKNOWN);
    }
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "label-studio", NULL, lost),
                     TN_EUNSUPPORTED);
    assert_string_equal(lost, "image-names");
    must_convert(d, to, "label-studio", "image-names");
    tn_dataset_close(d);
    d = open_as("label-studio", to);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(image_of(d, i).name, names[i]); /* by the residue */
    tn_dataset_close(d);
}

/* What the file of an image is found by, and a folder of single tasks. */
static void files_of_images(void **state)
{
    (void)state;
    char to[TMP_PATH];
    put("s/1.json", "{\"id\": 1, \"data\": {\"image\": "
                    "\"/data/upload/3/a.png\"}, \"annotations\": []}");
    put("s/2.json", "{\"id\": 2, \"data\": {\"image\": "
                    "\"/data/local-files/?d=images/b.png\"}, "
                    "\"annotations\": []}");
    put("s/images/a.png", "");
    put("s/images/b.png", "");
    tmp_path(to, dir, "s");
    tn_dataset *d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_images, 2);
    assert_non_null(image_of(d, 0).file);
    assert_string_equal(image_of(d, 1).name, "b.png");
    assert_non_null(image_of(d, 1).file);
    tn_dataset_close(d);
    tmp_path(to, dir, "s/2.json");
    d = open_as(NULL, to);
    assert_string_equal(image_of(d, 0).name, "images/b.png");
    assert_non_null(image_of(d, 0).file);
    tn_dataset_close(d);
}

/* COCO with all it has goes there and comes back by the residue. */
static void losses_come_back(void **state)
{
    (void)state;
    static const char coco[] =
        "{\"info\": {\"year\": 2020}, \"images\": [{\"id\": 5, "
        "\"file_name\": \"images/a b.jpg\", \"width\": 90, \"height\": 60}, "
        "{\"id\": 6, \"file_name\": \"b.jpg\", \"width\": 9, \"height\": 9}], "
        "\"annotations\": [{\"id\": 1, \"image_id\": 5, \"category_id\": 3, "
        "\"bbox\": [1, 2, 30, 40], \"keypoints\": [1, 2, 2, 3, 4, 1, 0, 0, 0, "
        "5, 6, 0], \"num_keypoints\": 2, \"iscrowd\": 0},"
        "{\"id\": 1, \"image_id\": 5, \"category_id\": 3, \"bbox\": "
        "[0, 0, 9, 9], \"segmentation\": [[0,0,9,0,9,9],[1,2,1,3,2,3]], "
        "\"iscrowd\": 0, \"area\": 5},"
        "{\"id\": 3, \"image_id\": 6, \"category_id\": 4, \"bbox\": "
        "[0, 0, 2, 1], \"segmentation\": {\"counts\": [0, 1, 8, 1, 71], "
        "\"size\": [9, 9]}, \"iscrowd\": 1}], "
        "\"categories\": [{\"id\": 3, \"name\": \"x\", \"supercategory\": "
        "\"y\", \"keypoints\": [\"a\", \"b\", \"c\", \"d\"]}, {\"id\": 4, "
        "\"name\": \"M\\u00fcnchen\"}]}";
    char to[TMP_PATH], lost[400];
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_text("coco", "x.json", coco);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "label-studio", NULL, lost),
                     TN_EUNSUPPORTED);
    assert_string_equal(
        lost,
        "parts,crowd,areas,annotation-ids,supercategories,dataset-fields");
    must_convert(d, to, "label-studio", lost);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_string_equal(image_of(d, 0).name, "images/a b.jpg");
    assert_int_equal(image_of(d, 0).id.number, 5);
    assert_int_equal(info_of(d).n_annotations, 3);
    assert_int_equal(ann_of(d, 1).id.number, 1);
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 4);
    const uint8_t visible[4] = {2, 1, 0, 0};
    assert_memory_equal(s.visible, visible, 4);
    assert_true(fabs(s.xy[6] - 5.0) < 1e-9 && s.xy[4] == 0.0);
    shape_of(d, 1, &s);
    assert_int_equal(s.n_rings, 2);
    assert_true((flags_of(d, 2) & TN_IS_CROWD) != 0);
    shape_of(d, 2, &s);
    assert_int_equal(s.runs[1], 1);
    tn_shape_fini(&s);
    char back[TMP_PATH];
    tmp_path(back, dir, "back.json");
    must_convert(d, back, "coco", NULL);
    tn_dataset_close(d);
}

/* Each class of a region is a row; keypoints of the same name are no points of
 * the region, whichever comes first. */
static void points_of_one_name(void **state)
{
    (void)state;
    static const char text[] = TASK(
        "{\"id\": \"1\", \"type\": \"keypointlabels\", \"parentID\": \"r\", "
        "\"value\": {\"x\": 1, \"y\": 1, \"keypointlabels\": [\"n\"]}},"
        "{\"id\": \"2\", \"type\": \"keypointlabels\", \"parentID\": \"r\", "
        "\"value\": {\"x\": 2, \"y\": 1, \"keypointlabels\": [\"n\"]}}," RESULT(
            "rectanglelabels", "\"x\": 0, \"y\": 0, \"width\": 5, "
                               "\"height\": 5, \"rectanglelabels\": [\"c\"]"));
    char to[TMP_PATH];
    tn_dataset *d = open_text("label-studio", "x.json", text);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(info_of(d).n_annotations, 3);
    tmp_path(to, dir, "out.json");
    must_convert(d, to, "label-studio", NULL);
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {TASK(RESULT("rectanglelabels", "\"x\": 1, \"y\": 2, \"width\": 3")),
         "a result of type 'rectanglelabels' lacks some of x, y, width"},
        {TASK(RESULT("rectanglelabels", "\"x\": \"1\"")), "a number is"},
        {TASK(RESULT("rectanglelabels", "\"x\": NaN")), "found 'N'"},
        {TASK(RESULT("rectanglelabels", "\"x\": 1e400")), "beyond the range"},
        {TASK(RESULT("keypointlabels", "\"x\": 1")), "lacks x or y"},
        {TASK(RESULT("ellipselabels", "\"x\": 1, \"y\": 1, \"radiusX\": 1")),
         "radiusX and radiusY"},
        {TASK(RESULT("polygonlabels", "\"closed\": true")),
         "has no list 'points'"},
        {TASK(RESULT("polygonlabels", "\"points\": [[1, 2, 3]]")),
         "a point has 3 numbers"},
        {TASK(RESULT("brushlabels", "\"format\": \"rle\"")),
         "has no list 'rle'"},
        {TASK(RESULT("brushlabels", "\"rle\": [0, 0, 0, 1]")),
         "a brush has 1 samples, expected 80000"},
        {TASK(RESULT("brushlabels", "\"rle\": [0, 1, 56, 128, 57, 27, 240]")),
         "a brush ends before its last sample"},
        {TASK(RESULT("brushlabels", "\"rle\": [0, 1, 300]")),
         "a brush has 300 among its bytes"},
        {TASK(RESULT("rectanglelabels",
                     "\"x\": 1, \"y\": 2, \"width\": 3, \"height\": 4, "
                     "\"rectanglelabels\": [5]")),
         "a string"},
        {TASK("{\"type\": \"rectangle\", \"value\": {\"x\": 1, \"y\": 2, "
              "\"width\": 3, \"height\": 4, \"rotation\": 5}}"),
         "is turned, but has no original_width"},
        {TASK("{\"type\": \"brush\", \"value\": {\"rle\": []}}"),
         "has no original_width and original_height"},
        {"[{\"id\": 1, \"annotations\": []}]", "a task has no 'data'"},
        {"[5]", "a task is no object"},
        {"[{\"id\": 1, \"data\": {\"image\": \"a.png\"}, \"annotations\": "
         "[5]}]",
         "an annotation is no object"},
        {"[{\"id\": 1, \"data\": {\"image\": \"a.png\"}, \"predictions\": "
         "[5]}]",
         "a prediction is no object"},
        {"[{\"id\": 1, \"data\": {\"image\": ", "where a value is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused("label-studio", "x.json", cases[i].text, cases[i].says);
    tmp_path(path, dir, "");
    (void)unlink(path);
    char empty[TMP_PATH];
    put("e/x.txt", "");
    tmp_path(empty, dir, "e");
    assert_null(try_open("label-studio", empty));
    assert_non_null(strstr(err.message, "no Label Studio file"));
}

/* 5,000 controls are no labelling interface; runs that paint 2^28 pixels. */
static void limits_hold(void **state)
{
    (void)state;
    char *text = malloc(600000);
    assert_non_null(text);
    size_t n = (size_t)snprintf(text, 600000, "%s",
                                "[{\"data\": {\"image\": \"a.png\"}, "
                                "\"annotations\": [{\"result\": [");
    for (int i = 0; i < 1100; i++)
        n += (size_t)snprintf(
            text + n, 600000 - n,
            "%s{\"type\": \"choices\", \"from_name\": \"c%d\", \"value\": "
            "{\"choices\": [\"x\"]}}",
            i > 0 ? "," : "", i);
    (void)snprintf(text + n, 600000 - n, "]}]}]");
    refused("label-studio", "x.json", text, "more than 1024 controls");
    free(text);
    refused("label-studio", "x.json",
            TASK("{\"type\": \"brush\", \"original_width\": 1048576, "
                 "\"original_height\": 1048576, \"value\": {\"rle\": []}}"),
            "a brush of 1048576 x 1048576 pixels");
}

/* --- the labelling interface -------------------------------------------------- */

static const char interface[] =
    "<View>\n  <Style>.x { color: red }</Style>\n"
    "  <Image name=\"image\" value=\"$image\" zoom=\"true\"/>\n"
    "  <RectangleLabels name=\"box\" toName=\"image\">\n"
    "    <Label value=\"zebra\" background=\"red\" hotkey=\"1\"/>\n"
    "    <Label value=\"A &amp; B\" alias=\"ab\" category=\"7\"/>\n"
    "    <Label value=\"$labels\"/>\n  </RectangleLabels>\n"
    "  <PolygonLabels name=\"poly\" toName=\"image\">"
    "<Label value=\"zebra\"/><Label value=\"M\xc3\xbcnchen\"/>"
    "</PolygonLabels>\n"
    "  <KeyPointLabels name=\"kp\" toName=\"image\"><Label value=\"dot\"/>"
    "<Label value=\"nose\" model_index=\"0\"/></KeyPointLabels>\n"
    "  <Choices name=\"scene\" toName=\"image\"><Choice value=\"day\"/>"
    "</Choices>\n"
    "  <Choices name=\"q\" toName=\"image\" perRegion=\"true\">"
    "<Choice value=\"blurred\"/></Choices>\n"
    "  <Taxonomy name=\"t\" toName=\"image\"><Choice value=\"road\">"
    "<Choice value=\"urban\"/><Choice value=\"rural\"/></Choice>"
    "</Taxonomy>\n</View>\n";

static const char one_box[] = TASK(RESULT(
    "rectanglelabels",
    "\"x\": 0, \"y\": 0, \"width\": 5, \"height\": "
    "5, \"rectanglelabels\": [\"ab\"]") "," RESULT("rectanglelabels",
                                                   "\"x\": 0, \"y\": 0, "
                                                   "\"width\": 5, \"height\": "
                                                   "5, \"rectanglelabels\": "
                                                   "[\"other\"]"));

static void has_classes(const tn_dataset *d, const char *const *names, size_t n)
{
    assert_int_equal(info_of(d).n_classes, n);
    for (size_t i = 0; i < n; i++) {
        tn_class_row row = TN_CLASS_ROW_INIT;
        assert_int_equal(tn_dataset_class(d, i, &row), TN_OK);
        assert_string_equal(row.name, names[i]);
        if (strcmp(row.name, "ab") == 0) assert_int_equal(row.id.number, 7);
    }
}

/* Its labels are the classes, those of no annotation too; what is not listed
 * comes behind. While it fits it is written as it was. */
static void the_interface_lists_the_classes(void **state)
{
    (void)state;
    static const char *const names[] = {"zebra",      "ab",   "M\xc3\xbcnchen",
                                        "dot",        "day",  "road/urban",
                                        "road/rural", "other"};
    char to[TMP_PATH], lost[400];
    put("s/tasks.json", one_box);
    put("s/label_config.xml", interface);
    tmp_path(to, dir, "s");
    tn_dataset *d = open_as(NULL, to);
    has_classes(d, names, 8);
    assert_string_equal(class_of(d, 0), "ab");
    tmp_path(to, dir, "out");
    must_convert(d, to, "label-studio", NULL);
    char from[TMP_PATH];
    tmp_path(from, dir, "s");
    same_file(from, "label_config.xml", to, "label_config.xml");
    tn_dataset_close(d);
    d = open_as(NULL, to);
    has_classes(d, names, 8);
    /* One file has no interface beside it; the residue knows. */
    tmp_path(to, dir, "one.json");
    assert_int_equal(convert(d, to, "label-studio", NULL, lost),
                     TN_EUNSUPPORTED);
    assert_string_equal(lost, "class-ids,unused-classes,dataset-fields");
    tmp_path(to, dir, "two/one.json");
    must_convert(d, to, "label-studio", "all");
    tn_dataset_close(d);
    d = open_as(NULL, to);
    has_classes(d, names, 8);
    tn_dataset_close(d);
}

/* What it lists no longer: one is made. */
static void an_interface_that_does_not_fit(void **state)
{
    (void)state;
    char to[TMP_PATH], file[TMP_PATH];
    size_t n = 0;
    put("in.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.png\", "
        "\"width\": 20, \"height\": 10}], \"annotations\": "
        "[{\"id\": 1, \"image_id\": 1, \"category_id\": 4, \"bbox\": "
        "[1, 2, 3, 4]}, {\"id\": 2, \"image_id\": 1, \"category_id\": "
        "9}], \"categories\": [{\"id\": 9, \"name\": \"z<\"}, "
        "{\"id\": 4, \"name\": \"b\", \"keypoints\": [\"n\"]}, "
        "{\"id\": 5, \"name\": \"u\", \"keypoints\": [\"p\", "
        "\"q\"]}], \"label_studio_config\": {\"classes\": [[\"b\", "
        "4]], \"xml\": \"<View/>\"}}");
    tmp_path(file, dir, "in.json");
    tn_dataset *d = open_as("coco", file);
    tmp_path(to, dir, "out");
    must_convert(d, to, "label-studio", "annotation-ids,dataset-fields");
    tn_dataset_close(d);
    char *made = bytes_of(to, "label_config.xml", &n);
    assert_string_equal(
        made,
        "<View>\n  <Image name=\"image\" value=\"$image\"/>\n"
        "  <RectangleLabels name=\"label_rectangles\" toName=\"image\">\n"
        "    <Label value=\"z&lt;\" category=\"9\"/>\n"
        "    <Label value=\"b\" category=\"4\"/>\n"
        "    <Label value=\"u\" category=\"5\" keypoints=\"[&quot;p&quot;, "
        "&quot;q&quot;]\"/>\n"
        "  </RectangleLabels>\n"
        "  <Choices name=\"class\" toName=\"image\">\n"
        "    <Choice value=\"z&lt;\" category=\"9\"/>\n"
        "  </Choices>\n</View>\n");
    free(made);
    tmp_path(file, dir, "out/residue.ndjson");
    assert_int_equal(unlink(file), 0);
    d = open_as(NULL, to);
    static const char *const names[] = {"z<", "b", "u"};
    has_classes(d, names, 3);
    assert_string_equal(tn_dataset_keypoint_name(d, 2, 1), "q");
    assert_string_equal(tn_dataset_keypoint_name(d, 1, 0), "n");
    tn_dataset_close(d);
}

static void interfaces_that_are_none(void **state)
{
    (void)state;
    static const char *const broken[][2] = {
        {"<View><Labels name=\"l\" toName=\"i\"><Label/></Labels></View>",
         "a Label has no 'value'"},
        {"<Config/>", "found <Config>, expected <View>"},
        {"<!DOCTYPE a [<!ENTITY b \"c\">]><View>&b;</View>", "entit"},
        {"<View>", "line 1"},
    };
    char to[TMP_PATH];
    tmp_path(to, dir, "s");
    put("s/x.json", one_box);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        put("s/label_config.xml", broken[i][0]);
        if (try_open("label-studio", to) != NULL)
            fail_msg("taken: %s", broken[i][0]);
        if (strstr(err.message, broken[i][1]) == NULL)
            fail_msg("%s gave: %s", broken[i][0], err.message);
        assert_non_null(strstr(err.where, "label_config.xml"));
    }
    tmp_path(path, dir, "s/label_config.xml");
    assert_int_equal(unlink(path), 0);
    /* By another name: when it is the only one. */
    put("s/my.xml", interface);
    put("s/voc.xml", "<annotation/>");
    tmp_path(to, dir, "s/x.json");
    tn_dataset *d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_classes, 8);
    tn_dataset_close(d);
    put("s/two.xml", interface);
    d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_classes, 2);
    assert_int_equal(noted(d, "several-configs"), 1);
    tn_dataset_close(d);
}

/* A picture of 16 x 8 with this EXIF orientation. */
static void put_turned(const char *name, int orientation)
{
    static const char tag[] = "\x12\x01\x03\x00\x01\x00\x00\x00\x06";
    size_t n = 0, at = 0;
    char *bytes = bytes_of(TEST_FIXTURES "/images", "exif_le6.jpg", &n);
    while (at + 9 <= n && memcmp(bytes + at, tag, 9) != 0) at++;
    assert_true(at + 9 <= n);
    bytes[at + 8] = (char)orientation;
    tmp_write(dir, name, bytes, n);
    free(bytes);
}

static void frame_is(int orientation, const char *size, double w, double h,
                     tn_frame frame)
{
    char text[600], to[TMP_PATH];
    put_turned("a.jpg", orientation);
    (void)snprintf(text, sizeof text,
                   "[{\"id\": 1, \"data\": {\"image\": \"a.jpg\"}, "
                   "\"annotations\": [{\"result\": [{\"type\": "
                   "\"rectanglelabels\", \"from_name\": \"f\", \"to_name\": "
                   "\"image\", %s \"value\": {\"x\": 50, \"y\": 25, \"width\": "
                   "50, \"height\": 50, \"rotation\": 0, \"rectanglelabels\": "
                   "[\"c\"]}}]}]}]",
                   size);
    tn_dataset *d = open_text("label-studio", "x.json", text);
    if (d == NULL) fail_msg("%s", err.message);
    assert_non_null(image_of(d, 0).file);
    if (image_of(d, 0).frame != frame)
        fail_msg("orientation %d, %s: frame %d", orientation, size,
                 (int)image_of(d, 0).frame);
    assert_box(d, 0, w / 2, h / 4, w, 3 * h / 4);
    (void)snprintf(text, sizeof text, "%d-%zu%d.json", orientation,
                   strlen(size), (int)frame);
    tmp_path(to, dir, text);
    must_convert(d, to, "coco", "all");
    tn_dataset_close(d);
    d = open_as("coco", to);
    assert_int_equal(image_of(d, 0).width, (int)w);
    assert_box(d, 0, w / 2, h / 4, w, 3 * h / 4);
    tn_dataset_close(d);
}

/* Browsers turn an image before anybody draws: sizes and percents are those of
 * the image as it is shown, unless the file says the size of its pixels. */
static void exif_orientation_is_applied(void **state)
{
    (void)state;
    static const char stored[] =
        "\"original_width\": 16, \"original_height\": 8,";
    static const char shown[] =
        "\"original_width\": 8, \"original_height\": 16,";
    for (int o = 2; o < 9; o++) {
        const bool turned = o >= 5;
        frame_is(o, turned ? shown : stored, turned ? 8 : 16, turned ? 16 : 8,
                 TN_FRAME_UPRIGHT);
        frame_is(o, "", turned ? 8 : 16, turned ? 16 : 8, TN_FRAME_UPRIGHT);
        if (turned) frame_is(o, stored, 16, 8, TN_FRAME_RAW);
    }
    frame_is(0, "", 16, 8, TN_FRAME_UNKNOWN);
    frame_is(1, stored, 16, 8, TN_FRAME_UNKNOWN);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s", GOLDEN "label-studio");
    survives_oom(path, "label-studio");
    put("s/tasks.json", one_box);
    put("s/label_config.xml", interface);
    tmp_path(path, dir, "s");
    survives_oom(path, "label-studio");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t images, annotations;
    } rows[] = {
        {"panlabel-fixtures/sample_valid.label_studio.json", 2, 3},
        {"panlabel-fixtures/sample_rotated.label_studio.json", 1, 1},
        {"panlabel-fixtures/sample_legacy_completions.label_studio.json", 1, 1},
        {"label-studio/converter/data/test_export_yolo/data.json", 2, 6},
        {"label-studio/converter/data/test_export_yolo/data_obb.json", 3, 25},
        {"label-studio/converter/data/test_export_yolo/data_keypoints.json", 1,
         1},
        {"label-studio/converter/data/test_export_coco/data.json", 1, 4},
        {"label-studio/converter/data/test_export_json_min/data.json", 1, 1},
        {"label-studio/converter/data/test_export_csv/csv_test.json", 2, 5},
        {"label-studio/converter/data/test_export_doclang/data.json", 3, 3}};
    int n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[1024], to[TMP_PATH], name[32];
        if (!shared(file, rows[i].name)) continue;
        tn_dataset *d = open_as(NULL, file);
        assert_string_equal(info_of(d).format, "label-studio");
        assert_int_equal(info_of(d).n_images, rows[i].images);
        assert_int_equal(info_of(d).n_annotations, rows[i].annotations);
        (void)snprintf(name, sizeof name, "%zu", i);
        tmp_path(to, dir, name);
        must_convert(d, to, "label-studio", NULL); /* nothing is lost */
        tn_dataset_close(d);
        n++;
    }
    if (n == 0) skip();
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(golden),
        IN_FOLDER(json_min),
        IN_FOLDER(labels_beside_regions),
        IN_FOLDER(names_of_images),
        IN_FOLDER(files_of_images),
        IN_FOLDER(losses_come_back),
        IN_FOLDER(points_of_one_name),
        IN_FOLDER(the_interface_lists_the_classes),
        IN_FOLDER(an_interface_that_does_not_fit),
        IN_FOLDER(interfaces_that_are_none),
        IN_FOLDER(exif_orientation_is_applied),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(limits_hold),
        IN_FOLDER(survives_lack_of_memory),
        IN_FOLDER(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
