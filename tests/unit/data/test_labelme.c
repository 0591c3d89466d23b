/* SPDX-License-Identifier: Apache-2.0 */
/* test_labelme.c - LabelMe: reading, traps, hostile input, round trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

/* Every shape there is, as LabelMe and X-AnyLabeling write them. */
static const char full[] =
    "{\"version\": \"5.5.0\", \"flags\": {\"night\": true, \"rain\": false},"
    " \"shapes\": ["
    "{\"label\": \"a: b\", \"points\": [[100.5, 80], [10, 20.25]],"
    " \"group_id\": null, \"description\": \"\", \"shape_type\": \"rectangle\","
    " \"flags\": {}},"
    "{\"label\": \"no\", \"points\": [[1, 2], [3.5, 4], [5, 0]], \"group_id\":"
    " 7, \"description\": \"left\", \"shape_type\": \"polygon\","
    " \"flags\": {\"hard\": true}},"
    "{\"label\": \"c\", \"points\": [[10, 10], [13, 14]], \"shape_type\":"
    " \"circle\", \"flags\": {}, \"group_id\": 7},"
    "{\"label\": \"c\", \"points\": [[0, 0], [9, 9]], \"shape_type\": "
    "\"line\"},"
    "{\"label\": \"c\", \"points\": [[0, 0], [9, 9], [9, 1]], \"shape_type\":"
    " \"linestrip\"},"
    "{\"label\": \"c\", \"points\": [[4, 5]], \"shape_type\": \"point\"},"
    "{\"label\": \"c\", \"points\": [[4, 5], [6, 7]], \"shape_type\":"
    " \"points\"},"
    "{\"label\": \"c\", \"points\": [[4, 5], [6, 7], [5, 8], [3, 6]],"
    " \"shape_type\": \"oriented_rectangle\", \"score\": 0.5, \"difficult\":"
    " true, \"attributes\": {\"view\": \"rear\"}, \"flags\": {\"x\": false},"
    " \"kie_linking\": [[0, 1]]},"
    "{\"label\": \"m\", \"points\": [[2, 1], [4, 2]], \"shape_type\": \"mask\","
    " \"mask\": \"iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAAEElEQVR4nGP4"
    "z/CfgeH/fwAO+QP9Jts1mAAAAABJRU5ErkJggg==\"}],"
    " \"imagePath\": \"M\\u00fcnchen 1.jpg\", \"imageData\": null,"
    " \"imageHeight\": 90, \"imageWidth\": 120}";

static void look_at_full(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    double v = 0.0;
    const tn_image_row image = image_of(d, 0);
    assert_int_equal(info_of(d).n_images, 1);
    assert_int_equal(info_of(d).n_annotations, 9);
    assert_int_equal(info_of(d).n_classes, 4); /* sorted by bytes */
    assert_string_equal(image.name, "M\xc3\xbcnchen 1.jpg");
    assert_int_equal(image.width, 120);
    assert_int_equal(image.height, 90);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"night\": true, \"rain\": false}");
    assert_string_equal(class_of(d, 0), "a: b");
    assert_int_equal(ann_of(d, 0).class_index, 0);
    assert_int_equal(ann_of(d, 1).class_index, 3);
    assert_box(d, 0, 10, 20.25, 100.5, 80);
    shape_of(d, 1, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_int_equal(s.n_points, 3);
    assert_true(s.xy[2] == 3.5);
    assert_true(tn_dataset_num(d, 1, TN_NUM_GROUP, &v) && v == 7.0);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0),
                "\"description\": \"left\"");
    assert_text(tn_dataset_text(d, 1, TN_TEXT_ATTRIBUTES, 0),
                "{\"hard\": true}");
    shape_of(d, 2, &s);
    assert_int_equal(s.kind, TN_SHAPE_ELLIPSE);
    assert_true(s.xy[2] == 5.0 && s.xy[3] == 5.0);
    shape_of(d, 3, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYLINE);
    shape_of(d, 4, &s);
    assert_int_equal(s.n_points, 3);
    shape_of(d, 5, &s);
    assert_int_equal(s.kind, TN_SHAPE_POINTS);
    shape_of(d, 7, &s);
    assert_int_equal(s.kind, TN_SHAPE_QUAD);
    assert_true(tn_dataset_num(d, 7, TN_NUM_SCORE, &v) && v == 0.5);
    assert_true((ann_of(d, 7).flags & TN_IS_DIFFICULT) != 0);
    assert_text(tn_dataset_text(d, 7, TN_TEXT_ATTRIBUTES, 0),
                "{\"view\": \"rear\"}");
    assert_text(tn_dataset_text(d, 7, TN_TEXT_EXTRA, 0), "\"flags\": {\"x\": "
                                                         "false}");
    assert_text(tn_dataset_text(d, 7, TN_TEXT_EXTRA, 1),
                "\"kie_linking\": [[0, 1]]");
    shape_of(d, 8, &s); /* rows 101, 011 at 2, 1 */
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_int_equal(s.n_runs, 7);
    const uint32_t runs[7] = {181, 1, 90, 1, 88, 2, 10437};
    assert_memory_equal(s.runs, runs, sizeof runs);
    assert_box(d, 8, 2, 1, 5, 3);
    tn_shape_fini(&s);
}

static void reads_everything(void **state)
{
    (void)state;
    tn_dataset *d = open_text(NULL, "x.json", full); /* recognised */
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_string_equal(info_of(d).format, "labelme");
    look_at_full(d);
    const tn_annotation_row a = ann_of(d, 1);
    assert_string_equal(a.place.file, path);
    assert_memory_equal(full + a.place.offset, "{\"label\": \"no\"", 14);
    tn_dataset_close(d);
}

static void round_trip_is_the_same(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text("labelme", "x.json", full);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "labelme", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_full(d);
    tn_dataset_close(d);
}

/* The golden folder is what the writer makes of it. It has no mask: what a PNG
 * is compressed to depends on the zlib. */
static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "labelme");
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 9);
    assert_string_equal(image_of(d, 0).name, "a b.jpg");
    assert_string_equal(image_of(d, 1).name, "more/empty.png");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 2).name, "more/other.png");
    tmp_path(to, dir, "out");
    must_convert(d, to, "labelme", NULL);
    tn_dataset_close(d);
    same_file(GOLDEN "labelme", "a b.json", to, "a b.json");
    same_file(GOLDEN "labelme", "more/empty.json", to, "more/empty.json");
    same_file(GOLDEN "labelme", "more/other.json", to, "more/other.json");
}

/* Backslashes, "..", files that are not LabelMe's, images without a file. */
static void paths_and_other_files(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tmp_path(to, dir, "set");
    put("set/labels/a.json", "{\"shapes\": [], \"imagePath\": "
                             "\"..\\\\images\\\\a.png\"}");
    put("set/labels/b.json", "{\"shapes\": [], \"imagePath\": "
                             "\"..\\\\..\\\\..\\\\etc\\\\b.png\"}");
    put("set/labels/c.json", "{\"names\": []}");
    put("set/images/a.png", "");
    put("set/images/z.png", "");
    tn_dataset *d = open_as("labelme", to);
    assert_int_equal(info_of(d).n_images, 3);
    assert_string_equal(image_of(d, 0).name, "images/a.png");
    assert_non_null(image_of(d, 0).file);
    assert_int_equal(image_of(d, 0).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 1).name, "..\\..\\..\\etc\\b.png");
    assert_null(image_of(d, 1).file);
    assert_string_equal(image_of(d, 2).name, "images/z.png");
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
    assert_int_equal(noted(d, "other-file"), 1);
    char lost[400];
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "labelme", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "unlabelled-images,image-names");
    tn_dataset_close(d);
}

/* A name that begins with a dot is a name; a shadow of macOS is not JSON. */
static void dots_and_shadows(void **state)
{
    (void)state;
    char to[TMP_PATH];
    put("s/.a/x.json", "{\"shapes\": [], \"imagePath\": \".x.png\"}");
    tmp_write(dir, "s/._y.json", "\0\5\26\7\0", 5);
    tmp_path(to, dir, "s");
    tn_dataset *d = open_as("labelme", to);
    assert_int_equal(info_of(d).n_images, 1);
    assert_string_equal(image_of(d, 0).name, ".a/.x.png");
    assert_int_equal(noted(d, "other-file"), 1);
    tmp_path(to, dir, "out");
    must_convert(d, to, "labelme", NULL);
    tn_dataset_close(d);
}

/* a.jpg and a.png have one JSON name between them. */
static void stems_collide(void **state)
{
    (void)state;
    static const char coco[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 9, "
        "\"height\": 9}, {\"id\": 2, \"file_name\": \"a.png\", \"width\": 9, "
        "\"height\": 9}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "
        "\"category_id\": 1, \"bbox\": [1, 2, 3, 4]}, {\"id\": 2, "
        "\"image_id\": 2, \"category_id\": 1, \"bbox\": [5, 2, -3, 4]}], "
        "\"categories\": [{\"id\": 1, \"name\": \"x\"}]}";
    char to[TMP_PATH];
    tn_dataset *d = open_text("coco", "x.json", coco);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "labelme", "all");
    tn_dataset_close(d);
    d = open_as("labelme", to);
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_annotations, 2);
    tn_dataset_close(d);
}

/* What LabelMe cannot hold is counted; what comes back by the residue is the
 * dataset there was. */
static void losses_come_back(void **state)
{
    (void)state;
    static const char coco[] =
        "{\"images\": [{\"id\": 5, \"file_name\": \"a.jpg\", \"width\": 9, "
        "\"height\": 9}], \"annotations\": [{\"id\": 1, \"image_id\": 5, "
        "\"category_id\": 3, \"bbox\": [0, 0, 9, 9], \"segmentation\": "
        "[[0,0,9,0,9,9],[1,2,1,3,2,3]], \"iscrowd\": 0},"
        "{\"id\": 2, \"image_id\": 5, \"category_id\": 3, \"caption\": "
        "\"hi\"}], "
        "\"categories\": [{\"id\": 3, \"name\": \"x\", \"supercategory\": "
        "\"y\"}]}";
    char to[TMP_PATH], lost[400];
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_text("coco", "x.json", coco);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "labelme", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "parts,captions,annotation-ids,image-ids,"
                              "class-ids,supercategories");
    must_convert(d, to, "labelme", lost);
    tn_dataset_close(d);
    d = open_as("labelme", to);
    assert_int_equal(info_of(d).n_annotations, 2);
    shape_of(d, 0, &s);
    assert_int_equal(s.n_rings, 2);
    assert_int_equal(ann_of(d, 0).id.number, 1);
    assert_int_equal(image_of(d, 0).id.number, 5);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *shape, *says;
    } cases[] = {
        {"{\"points\": [[1, 2]]}", "a shape has no 'label'"},
        {"{\"label\": \"a\"}", "a shape has no 'points'"},
        {"{\"label\": \"a\", \"points\": [[1, 2]], \"shape_type\": \"blob\"}",
         "a shape_type 'blob', expected polygon"},
        {"{\"label\": \"a\", \"points\": [[1, 2, 3]]}",
         "a point has 3 numbers, expected 2"},
        {"{\"label\": \"a\", \"points\": [[1, NaN]]}", "found 'N' where"},
        {"{\"label\": \"a\", \"points\": [[1, 1e400]]}", "beyond the range"},
        {"{\"label\": \"a\", \"points\": [[1, 2]], \"shape_type\": "
         "\"rectangle\"}",
         "a shape 'rectangle' has 1 points, expected 2"},
        {"{\"label\": \"a\", \"points\": []}", "expected at least 1"},
        {"{\"label\": \"a\", \"points\": [[1, 2], [3, 4]], \"shape_type\": "
         "\"mask\"}",
         "has no mask"},
        {"{\"label\": \"a\", \"points\": [[1, 2], [3, 4]], \"shape_type\": "
         "\"mask\", \"mask\": \"***\"}",
         "base64 is broken at its character 0"},
        {"{\"label\": \"a\", \"points\": [[1, 2], [3, 4]], \"shape_type\": "
         "\"mask\", \"mask\": \"AAAA\"}",
         "byte"},
        {"{\"label\": \"m\", \"points\": [[19, 1], [20, 2]], \"shape_type\": "
         "\"mask\", \"mask\": "
         "\"iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAAEElEQVR4nGP4"
         "z/CfgeH/fwAO+QP9Jts1mAAAAABJRU5ErkJggg==\"}",
         "a mask of 3 x 2 pixels at 19, 1 leaves its image of 20 x 10"},
        {"{\"label\": \"a\", \"points\": [[1, 2]", "the text ends where"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[700];
        (void)snprintf(text, sizeof text,
                       "{\"imagePath\": \"a.png\", \"imageWidth\": 20, "
                       "\"imageHeight\": 10, \"shapes\": [%s]}",
                       cases[i].shape);
        refused("labelme", "x.json", text, cases[i].says);
        assert_non_null(strstr(err.message, "(line 1, column "));
    }
    refused("labelme", "x.json", "{\"shapes\": []}", "there is no 'imagePath'");
    refused("labelme", "x.json",
            "{\"imagePath\": \"a\", \"imageWidth\": -2, \"shapes\": []}",
            "no whole number of pixels");
    tmp_path(path, dir, "");
    assert_null(try_open("labelme", path));
    assert_non_null(strstr(err.where, dir));
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    tmp_write(dir, "x.json", full, sizeof full - 1);
    tmp_path(path, dir, "x.json");
    survives_oom(path, "labelme");
}

static void shared_fixture(void **state)
{
    (void)state;
    char file[1024];
    if (!shared(file, "panlabel-fixtures/sample_valid.labelme.json")) skip();
    tn_dataset *d = open_as(NULL, file);
    assert_int_equal(info_of(d).n_images, 1);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_box(d, 0, 10, 20, 100, 80);
    tn_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(round_trip_is_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(golden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_and_other_files, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(dots_and_shadows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stems_collide, set_up, tear_down),
        cmocka_unit_test_setup_teardown(losses_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_lack_of_memory, set_up,
                                        tear_down),
        cmocka_unit_test(shared_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
