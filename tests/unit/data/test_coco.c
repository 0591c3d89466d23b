/* SPDX-License-Identifier: Apache-2.0 */
/* test_coco.c - COCO files: reading, hostile input, COCO to COCO */
#define _XOPEN_SOURCE 700
#include "dataset_testing.h"

static char path[TMP_PATH];

static const char full[] =
    "{\"info\": {\"year\": 2026, \"url\": \"x\"}, \"licenses\": [{\"id\": "
    "1}],\n"
    " \"images\": [\n"
    "  {\"id\": 9007199254740993, \"width\": 640, \"height\": 480,"
    "   \"file_name\": \"a/b.jpg\", \"license\": 1},\n"
    "  {\"id\": \"t-1\", \"width\": 20, \"height\": 10,"
    "   \"file_name\": \"M\\u00fcnchen 1.png\"}],\n"
    " \"annotations\": [\n"
    "  {\"id\": 7, \"image_id\": 9007199254740993, \"category_id\": 90,"
    "   \"bbox\": [1.5, 2, 10.25, 20], \"area\": 100.125, \"iscrowd\": 0,"
    "   \"segmentation\": [[1.5,2,11.75,2,11.75,22],[3,3,5,3,5,5]],"
    "   \"attributes\": {\"rotation\": 0.0}, \"extra\": [1, {\"a\": null}]},\n"
    "  {\"id\": 8, \"image_id\": \"t-1\", \"category_id\": 1,"
    "   \"bbox\": [0, 0, 4, 3], \"area\": 12, \"iscrowd\": 1,"
    "   \"segmentation\": {\"counts\": [0, 30, 170], \"size\": [10, 20]}},\n"
    "  {\"id\": 0, \"image_id\": 5, \"category_id\": 2, \"bbox\": [],"
    "   \"score\": 0.5, \"ignore\": 1},\n"
    "  {\"id\": 9, \"image_id\": \"t-1\", \"category_id\": 1, \"bbox\":"
    "   [1,1,2,2], \"keypoints\": [1,1,2, 0,0,0], \"num_keypoints\": 1,"
    "   \"iscrowd\": null}],\n"
    " \"categories\": [{\"id\": 90, \"name\": \"no\", \"supercategory\": "
    "\"x\"},\n"
    "  {\"id\": 1, \"name\": \"p\", \"keypoints\": [\"l\", \"r\"],"
    "   \"skeleton\": [[1,2]]}]}";

static tn_dataset *open_text(const char *text)
{
    tn_dataset *d = NULL;
    tmp_write(dir, "x.json", text, strlen(text));
    tmp_path(path, dir, "x.json");
    memset(&err, 0, sizeof err);
    if (tn_dataset_open(&d, path, NULL, &err) != TN_OK) return NULL;
    return d;
}

/* What `full` says, whether read from it or from what was written of it. */
static void look_at_full(const tn_dataset *d)
{
    tn_dataset_info info = TN_DATASET_INFO_INIT;
    tn_image_row image = TN_IMAGE_ROW_INIT;
    tn_annotation_row a = TN_ANNOTATION_ROW_INIT;
    tn_class_row c = TN_CLASS_ROW_INIT;
    tn_shape s = TN_SHAPE_INIT;
    double v = 0.0, box[4];
    tn_dataset_get_info(d, &info);
    assert_string_equal(info.format, "coco");
    assert_int_equal(info.n_images, 2);
    assert_int_equal(info.n_annotations, 4);
    assert_int_equal(info.n_classes, 3);
    assert_int_equal(tn_dataset_image(d, 0, &image), TN_OK);
    assert_string_equal(image.name, "a/b.jpg");
    assert_int_equal(image.id.number, INT64_C(9007199254740993));
    assert_int_equal(image.state, TN_STATE_ANNOTATED);
    assert_int_equal(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0).size, 12);
    assert_int_equal(tn_dataset_image(d, 1, &image), TN_OK);
    assert_string_equal(image.name, "M\xc3\xbcnchen 1.png");
    assert_string_equal(image.id.text, "t-1");
    assert_int_equal(tn_dataset_class(d, 0, &c), TN_OK);
    assert_string_equal(c.name, "no");
    assert_string_equal(c.parent, "x");
    assert_int_equal(c.id.number, 90);
    assert_int_equal(tn_dataset_class(d, 1, &c), TN_OK);
    assert_int_equal(c.n_keypoints, 2);
    assert_string_equal(tn_dataset_keypoint_name(d, 1, 1), "r");
    assert_int_equal(tn_dataset_annotation(d, 0, &a), TN_OK);
    assert_int_equal(a.image, 0);
    assert_int_equal(a.class_index, 0);
    assert_int_equal(a.id.number, 7);
    assert_true(tn_dataset_box(d, 0, box));
    assert_true(box[0] == 1.5 && box[2] == 11.75 && box[3] == 22.0);
    assert_true(tn_dataset_num(d, 0, TN_NUM_AREA, &v) && v == 100.125);
    assert_int_equal(tn_dataset_shape(d, 0, &s, &err), TN_OK);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_int_equal(s.n_rings, 2);
    assert_int_equal(s.n_points, 6);
    assert_true(s.xy[11] == 5.0);
    const tn_bytes extra = tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0);
    assert_memory_equal(extra.data, "\"extra\": [1, {\"a\": null}]",
                        extra.size);
    assert_memory_equal(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0).data,
                        "{\"rotation\": 0.0}", 17);
    assert_int_equal(tn_dataset_annotation(d, 1, &a), TN_OK);
    assert_true((a.flags & TN_IS_CROWD) != 0);
    assert_false(tn_dataset_num(d, 1, TN_NUM_AREA, &v));
    assert_int_equal(tn_dataset_shape(d, 1, &s, &err), TN_OK);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_int_equal(s.n_runs, 3);
    assert_int_equal(tn_dataset_annotation(d, 2, &a), TN_OK);
    assert_int_equal(a.image, TN_NONE);
    assert_int_equal(a.id.number, 0);
    assert_true(tn_dataset_num(d, 2, TN_NUM_SCORE, &v) && v == 0.5);
    assert_int_equal(tn_dataset_keypoints(d, 3, &s, &err), TN_OK);
    assert_int_equal(s.n_points, 2);
    assert_int_equal(s.visible[0], 2);
    assert_int_equal(s.visible[1], 0);
    tn_shape_fini(&s);
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(d, 1, &n);
    assert_int_equal(n, 2);
    assert_int_equal(list[0], 1);
    assert_int_equal(list[1], 3);
}

static void reads_everything(void **state)
{
    (void)state;
    tn_dataset *d = open_text(full);
    tn_note note = TN_NOTE_INIT;
    tn_annotation_row a = TN_ANNOTATION_ROW_INIT;
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    look_at_full(d);
    assert_int_equal(tn_dataset_annotation(d, 0, &a), TN_OK);
    assert_string_equal(a.place.file, path);
    assert_memory_equal(full + a.place.offset, "{\"id\": 7", 8);
    assert_int_equal(tn_dataset_note(d, 0, &note), TN_OK);
    assert_string_equal(note.code, "orphan-image");
    assert_int_equal(note.count, 1);
    assert_int_equal(tn_dataset_note(d, 1, &note), TN_OK);
    assert_string_equal(note.code, "orphan-class");
    tn_dataset_close(d);
}

static tn_status convert(const tn_dataset *d, const char *to,
                         const char *format, const char *allow,
                         tn_conversion **c)
{
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    o.format = format;
    o.allow_loss = allow;
    memset(&err, 0, sizeof err);
    return tn_dataset_convert(c, d, to, &o, &err);
}

static void coco_to_coco_is_the_same(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text(full), *back = NULL;
    tn_conversion *c = NULL;
    tn_conversion_info info = TN_CONVERSION_INFO_INIT;
    assert_non_null(d);
    tmp_path(to, dir, "out.json");
    if (convert(d, to, "coco", NULL, &c) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_conversion_get_info(c, &info);
    assert_int_equal(info.n_losses, 0);
    assert_int_equal(info.verified, 1);
    tn_conversion_free(c);
    assert_int_equal(tn_dataset_open(&back, to, NULL, &err), TN_OK);
    look_at_full(back);
    tn_dataset_close(back);
    /* As a folder too, and again to what is there: refused. */
    tmp_path(to, dir, "folder");
    assert_int_equal(convert(d, to, "coco", NULL, &c), TN_OK);
    tn_conversion_free(c);
    assert_int_equal(tn_dataset_open(&back, to, NULL, &err), TN_OK);
    look_at_full(back);
    tn_dataset_close(back);
    assert_int_equal(convert(d, to, "coco", NULL, &c), TN_EBUSY);
    assert_non_null(strstr(err.message, "it exists already"));
    tn_conversion_free(c);
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"images\": [{\"file_name\": \"a\"}]}", "an image has no 'id'"},
        {"{\"images\": [{\"id\": 1}], \"file_name\": 1}",
         "an image has no 'file_name'"},
        {"{\"images\": [{\"id\": [], \"file_name\": \"a\"}]}",
         "an id is neither a number nor a text"},
        {"{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": -1}]}",
         "an image's size is -1"},
        {"{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": "
         "[{\"image_id\": 1, \"bbox\": [1, 2]}]}",
         "a bbox has 2 numbers, expected 4"},
        {"{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": "
         "[{\"image_id\": 1, \"bbox\": [1, 2, NaN, 3]}]}",
         "found 'N' where a number is expected"},
        {"{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": "
         "[{\"image_id\": 1, \"bbox\": [1, 2, 1e400, 3]}]}",
         "beyond the range"},
        {"{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": [",
         "the text ends where"},
        {"{\"annotations\": [{\"image_id\": 1, \"category_id\": 2}]}",
         "there is no list 'images'"},
        {"{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"categories\": "
         "[{\"id\": 1}]}",
         "a category has no 'name'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_dataset *d = open_text(cases[i].text);
        if (d != NULL) fail_msg("taken: %s", cases[i].text);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s gave: %s", cases[i].text, err.message);
        assert_non_null(strstr(err.where, "x.json"));
        assert_non_null(strstr(err.message, "(line 1, column "));
    }
    assert_null(open_text("{\"neither\": 1}"));
    assert_int_equal(err.code, TN_EUNSUPPORTED);
}

static void broken_masks(void **state)
{
    (void)state;
    static const struct {
        const char *rle, *says;
    } cases[] = {
        {"{\"counts\": [1, 2], \"size\": [3, 3]}", "have 3 pixels"},
        {"{\"counts\": [10], \"size\": [3, 3]}", "leave its 3 x 3"},
        {"{\"counts\": [-1, 10], \"size\": [3, 3]}", "leave its 3 x 3"},
        {"{\"counts\": \"~~\", \"size\": [3, 3]}", "is broken at its byte 0"},
        {"{\"counts\": \"oooooooooooooooooooo\", \"size\": [3, 3]}",
         "is broken"},
        {"{\"counts\": \"1\", \"size\": [3, 99999999]}", "the size of a mask"},
        {"{\"size\": [3, 3]}", "no 'counts'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        tn_shape s = TN_SHAPE_INIT;
        (void)snprintf(text, sizeof text,
                       "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], "
                       "\"annotations\": [{\"image_id\": 1, \"id\": 1, "
                       "\"category_id\": 1, \"segmentation\": %s}]}",
                       cases[i].rle);
        tn_dataset *d = open_text(text);
        assert_non_null(d);
        assert_int_not_equal(tn_dataset_shape(d, 0, &s, &err), TN_OK);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s gave: %s", cases[i].rle, err.message);
        tn_shape_fini(&s);
        tn_dataset_close(d);
    }
    /* pycocotools' text of a 4 x 4 mask with runs 5 2 2 2 5. */
    tn_dataset *d = open_text(
        "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": "
        "[{\"image_id\": 1, \"id\": 1, \"category_id\": 1, \"segmentation\": "
        "{\"size\": [4, 4], \"counts\": \"52203\"}}]}");
    tn_shape s = TN_SHAPE_INIT;
    double box[4];
    assert_non_null(d);
    if (tn_dataset_shape(d, 0, &s, &err) != TN_OK) fail_msg("%s", err.message);
    assert_int_equal(s.n_runs, 5);
    assert_int_equal(s.runs[3], 2);
    assert_int_equal(s.runs[4], 5);
    assert_true(tn_dataset_box(d, 0, box));
    assert_true(box[0] == 1.0 && box[1] == 1.0 && box[2] == 3.0 &&
                box[3] == 3.0);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    tmp_write(dir, "x.json", full, sizeof full - 1);
    tmp_path(path, dir, "x.json");
    survives_oom(path, NULL);
}

/* A list of categories that fills what a probe looks at, as LVIS has it. */
static void long_lists_come_first(void **state)
{
    (void)state;
    enum { ROWS = 2000, SIZE = 1 << 18 };
    static char text[SIZE];
    size_t n = (size_t)snprintf(text, SIZE, "{ \"categories\" : [");
    for (int i = 1; i <= ROWS; i++)
        n +=
            (size_t)snprintf(text + n, SIZE - n,
                             "%s{\"name\": \"c%d\", \"def\": \"a thing that is "
                             "long to tell\", \"id\": %d}",
                             i > 1 ? ", " : "", i, i);
    (void)snprintf(text + n, SIZE - n,
                   "], \"images\": [{\"id\": 1, \"file_name\": \"a\"}], "
                   "\"annotations\": []}");
    tn_dataset *d = open_text(text);
    if (d == NULL) fail_msg("%s", err.message);
    tn_dataset_info info = TN_DATASET_INFO_INIT;
    tn_dataset_get_info(d, &info);
    assert_int_equal(info.n_classes, ROWS);
    assert_int_equal(info.n_images, 1);
    tn_dataset_close(d);
    /* Datumaro's categories are no list. */
    assert_null(open_text("{\"categories\": {\"id\": 1, \"name\": 2}}"));
    assert_null(open_text("{\"categories\": ["));
    assert_null(open_text("{\"categories\""));
    assert_null(open_text("{"));
}

/* pycocotools looks up the class of every annotation when there is a list of
 * classes: captions have neither. */
static void captions_have_no_classes(void **state)
{
    (void)state;
    char to[TMP_PATH], text[1024];
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    tn_dataset *d = open_text(
        "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": "
        "[{\"id\": 2, \"image_id\": 1, \"caption\": \"x\"}]}");
    if (d == NULL) fail_msg("%s", err.message);
    o.format = "coco";
    tmp_path(to, dir, "y.json");
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    tn_dataset_close(d);
    FILE *f = fopen(to, "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
    assert_non_null(strstr(text, "\"caption\": \"x\""));
    assert_null(strstr(text, "categories"));
}

static const char mixed[] =
    "{\"info\": {\"year\": 2020}, \"images\": [{\"id\": 7, \"file_name\": "
    "\"a.jpg\", \"width\": 10, \"height\": 10, \"license\": 3}, {\"id\": 8, "
    "\"file_name\": \"b.jpg\"}], \"annotations\": ["
    "{\"id\": 1, \"image_id\": 7, \"caption\": \"one\"},"
    "{\"id\": 2, \"image_id\": 7, \"category_id\": 5, \"bbox\": [1, 2, 3, 4], "
    "\"iscrowd\": 0},"
    "{\"id\": 3, \"image_id\": 99, \"caption\": \"nowhere\"},"
    "{\"id\": 4, \"image_id\": 8, \"category_id\": 5, \"bbox\": [1, 2, 3, 4], "
    "\"caption\": \"of it\", \"iscrowd\": 0}], \"categories\": [{\"id\": 5, "
    "\"name\": \"x\"}], \"other\": 1}";

static tn_status to_coco(const tn_dataset *d, const char *name,
                         const char *variant, const char *allow)
{
    char to[TMP_PATH];
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    o.format = "coco";
    o.variant = variant;
    o.allow_loss = allow;
    tmp_path(to, dir, name);
    memset(&err, 0, sizeof err);
    const tn_status status = tn_dataset_convert(&c, d, to, &o, &err);
    tn_conversion_free(c);
    return status;
}

static void text_of(const char *name, char text[2048])
{
    tmp_path(path, dir, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text[fread(text, 1, 2047, f)] = '\0';
    (void)fclose(f);
}

static tn_dataset *open_name(const char *name, const char *variant)
{
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.variant = variant;
    o.format = "coco";
    tmp_path(path, dir, name);
    memset(&err, 0, sizeof err);
    return tn_dataset_open(&d, path, &o, &err) == TN_OK ? d : NULL;
}

static const char *caption_of(const tn_dataset *d, size_t ann, char text[40])
{
    const tn_bytes t = tn_dataset_text(d, ann, TN_TEXT_CAPTION, 0);
    (void)snprintf(text, 40, "%.*s", (int)t.size, t.data != NULL ? t.data : "");
    return text;
}

/* As COCO has them: a file of each, which repeats the images; one dataset. */
static void captions_lie_beside_instances(void **state)
{
    (void)state;
    char text[2048], caption[40];
    tn_dataset_info info = TN_DATASET_INFO_INIT;
    tn_dataset *d = open_text(mixed);
    if (d == NULL) fail_msg("%s", err.message);
    assert_int_equal(to_coco(d, "f", NULL, NULL), TN_OK);
    tn_dataset_close(d);
    text_of("f/annotations/captions.json", text);
    assert_string_equal(
        text, "{\n\"info\": {\"year\": 2020},\n\"images\": [\n{\"id\": 7, "
              "\"file_name\": \"a.jpg\", \"width\": 10, \"height\": 10, "
              "\"license\": 3},\n{\"id\": 8, \"file_name\": \"b.jpg\"}],\n"
              "\"annotations\": [\n{\"id\": 1, \"image_id\": 7, \"caption\": "
              "\"one\"},\n{\"id\": 3, \"caption\": \"nowhere\", \"image_id\": "
              "99}]\n}\n");
    text_of("f/annotations/instances.json", text);
    assert_null(strstr(text, "\"one\""));
    assert_non_null(strstr(text, "\"caption\": \"of it\""));
    assert_non_null(strstr(text, "\"other\": 1"));
    d = open_name("f", NULL);
    if (d == NULL) fail_msg("%s", err.message);
    tn_dataset_get_info(d, &info);
    assert_string_equal(info.variant, "instances+captions");
    assert_int_equal(info.n_images, 2);
    assert_int_equal(info.n_annotations, 4);
    assert_string_equal(caption_of(d, 1, caption), "\"of it\"");
    assert_string_equal(caption_of(d, 2, caption), "\"one\"");
    tn_note note = TN_NOTE_INIT;
    assert_int_equal(tn_dataset_note(d, 0, &note), TN_OK);
    assert_string_equal(note.code, "orphan-image"); /* and no other */
    assert_int_not_equal(tn_dataset_note(d, 1, &note), TN_OK);
    /* Into one file they do not fit; the residue has them. */
    assert_int_equal(to_coco(d, "y.json", NULL, NULL), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "3 captions"));
    assert_int_equal(to_coco(d, "y.json", NULL, "captions"), TN_OK);
    assert_int_equal(to_coco(d, "c", "captions", "all"), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "choose instances+captions"));
    tn_dataset_close(d);
    text_of("y.json", text);
    assert_null(strstr(text, "caption"));
    d = open_name("y.json", NULL);
    if (d == NULL) fail_msg("%s", err.message);
    tn_dataset_get_info(d, &info);
    assert_int_equal(info.n_annotations, 4);
    tn_dataset_close(d);
    d = open_name("f", "instances");
    tn_dataset_get_info(d, &info);
    assert_int_equal(info.n_annotations, 2);
    tn_dataset_close(d);
}

static void captions_may_say_otherwise(void **state)
{
    (void)state;
    tn_note note = TN_NOTE_INIT;
    tn_dataset_info info = TN_DATASET_INFO_INIT;
    tn_image_row row = TN_IMAGE_ROW_INIT;
    static const char instances[] =
        "{\"info\": 1, \"images\": [{\"id\": 1, \"file_name\": \"a\", "
        "\"width\": 2, \"height\": 2, \"k\": 1}, {\"id\": 2, \"file_name\": "
        "\"b\"}], \"annotations\": [], \"categories\": []}";
    static const char captions[] =
        "{\"info\": 2, \"also\": 3, \"images\": [{\"id\": 5, \"file_name\": "
        "\"a\", \"width\": 3, \"height\": 2, \"k\": 2, \"l\": 3}, {\"id\": 2, "
        "\"file_name\": \"b\", \"width\": 4, \"height\": 5}, {\"id\": 9, "
        "\"file_name\": \"new\"}], \"annotations\": [{\"id\": 1, \"image_id\": "
        "5, "
        "\"caption\": \"x\"}, {\"id\": 2, \"image_id\": 9, \"caption\": "
        "\"y\"}]}";
    tmp_path(path, dir, "annotations");
    assert_int_equal(mkdir(path, 0777), 0);
    tmp_write(dir, "annotations/instances_val.json", instances,
              sizeof instances - 1);
    tmp_write(dir, "annotations/captions_val.json", captions,
              sizeof captions - 1);
    tn_dataset *d = open_name("", NULL);
    if (d == NULL) fail_msg("%s", err.message);
    tn_dataset_get_info(d, &info);
    assert_int_equal(info.n_images, 3);
    assert_int_equal(info.n_splits, 1);
    assert_int_equal(tn_dataset_note(d, 0, &note), TN_OK);
    assert_string_equal(note.code, "captions-differ");
    assert_int_equal(note.count, 4); /* info, id, size, k */
    assert_int_equal(tn_dataset_image(d, 0, &row), TN_OK);
    assert_int_equal(row.id.number, 1);
    assert_int_equal(row.width, 2);
    const tn_bytes l = tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 1);
    assert_true(l.size == 6 && memcmp(l.data, "\"l\": 3", 6) == 0);
    assert_int_equal(tn_dataset_image(d, 1, &row), TN_OK);
    assert_int_equal(row.height, 5);
    size_t n = 0;
    (void)tn_dataset_of_image(d, 0, &n);
    assert_int_equal(n, 1);
    tn_dataset_close(d);
    /* More tasks than one beside captions, or one that is not for them. */
    tmp_write(dir, "annotations/person_keypoints_val.json", instances,
              sizeof instances - 1);
    assert_null(open_name("", NULL));
    assert_non_null(
        strstr(err.message, "several tasks (instances, keypoints)"));
    tmp_path(path, dir, "annotations/person_keypoints_val.json");
    assert_int_equal(unlink(path), 0);
    tmp_path(path, dir, "annotations/instances_val.json");
    assert_int_equal(unlink(path), 0);
    tmp_write(dir, "annotations/stuff_val.json", instances,
              sizeof instances - 1);
    assert_null(open_name("", NULL));
    assert_non_null(strstr(err.message, "several tasks (stuff, captions)"));
}

static void captions_survive_lack_of_memory(void **state)
{
    (void)state;
    tn_dataset *d = open_text(mixed);
    assert_int_equal(to_coco(d, "f", NULL, NULL), TN_OK);
    tn_dataset_close(d);
    tmp_path(path, dir, "f");
    survives_oom(path, NULL);
}

/* Results that name neither an image nor a class are kept, and what is written
 * of them is recognised as COCO again. */
static void results_of_no_image(void **state)
{
    (void)state;
    char file[TMP_PATH];
    static const char text[] =
        "[{\"im0age_id\": 1, \"score\": 0.5}, {\"caption\": \"c\"}]";
    tmp_write(dir, "r.json", text, strlen(text));
    tmp_path(file, dir, "r.json");
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.format = "coco";
    assert_int_equal(tn_dataset_open(&d, file, &o, &err), TN_OK);
    if (to_coco(d, "f", NULL, NULL) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    tn_dataset_close(d);
    tmp_path(file, dir, "f");
    assert_int_equal(tn_dataset_open(&d, file, NULL, &err), TN_OK);
    double score = 0.0;
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_int_equal(info_of(d).n_images, 0);
    assert_true(tn_dataset_num(d, 0, TN_NUM_SCORE, &score) && score == 0.5);
    tn_dataset_close(d);
}

/* Counts that an independent program made of the shared fixtures. */
/* What tells another format apart are its own members, not those of anything
 * inside: an annotation's fields may be called so too. */
static void fields_of_other_formats(void **state)
{
    static const char *const fields[] = {"\"shapes\": 0.5",
                                         "\"shapes\": [{\"points\": []}]",
                                         "\"dm_format_version\": \"1.0\""};
    char text[600], to[TMP_PATH];
    (void)state;
    tmp_path(to, dir, "out");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        tn_conversion *c = NULL;
        tn_convert_opts o = TN_CONVERT_OPTS_INIT;
        (void)snprintf(text, sizeof text,
                       "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", "
                       "\"width\": 8, \"height\": 8}], \"annotations\": "
                       "[{\"id\": 1, \"image_id\": 1, \"category_id\": 1, "
                       "\"bbox\": [1, 1, 2, 2], %s}], \"categories\": "
                       "[{\"id\": 1, \"name\": \"x\"}]}",
                       fields[i]);
        tn_dataset *d = open_text(text);
        if (d == NULL) fail_msg("%s: %s", fields[i], err.message);
        assert_string_equal(info_of(d).format, "coco");
        o.format = "coco";
        if (tn_dataset_convert(&c, d, to, &o, &err) != TN_OK)
            fail_msg("%s: %s", fields[i], err.message);
        tn_conversion_free(c);
        tn_dataset_close(d);
        tmp_remove(to);
    }
    assert_null(open_text("{\"shapes\": [], \"images\": [{\"file_name\": "
                          "\"a.jpg\"}], \"annotations\": []}"));
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t images, annotations, classes;
    } rows[] = {
        {"taco-annotations/annotations.json", 1500, 4784, 60},
        {"taco-annotations/data/annotations.json", 1500, 4784, 60},
        {"taco-annotations/data/annotations_unofficial.json", 3831, 8334, 0},
        {"datumaro-assets/coco_dataset/mmdet_coco/annotations/"
         "instances_val.json",
         1, 2, 3},
        {"datumaro-assets/coco_dataset/coco_captions/annotations/"
         "captions_val.json",
         1, 2, 0},
        {"datumaro-assets/kaggle_dataset/relaxed_coco/annotations.json", 2, 2,
         2},
        {"panlabel-fixtures/sample_valid.coco.json", 2, 3, 0},
        {"cocoapi/results/instances_val2014_fakebbox100_results.json", 0, 734,
         0},
        {"cocoapi/results/instances_val2014_fakesegm100_results.json", 0, 734,
         0},
        {"cocoapi/results/person_keypoints_val2014_fakekeypoints100_results."
         "json",
         0, 125, 0},
    };
    int n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char file[1024];
        tn_dataset *d = NULL;
        tn_dataset_info info = TN_DATASET_INFO_INIT;
        (void)snprintf(file, sizeof file, "%s/datasets/%s", TEST_DATA,
                       rows[i].file);
        if (access(file, R_OK) != 0) continue;
        if (tn_dataset_open(&d, file, NULL, &err) != TN_OK)
            fail_msg("%s: %s", err.where, err.message);
        tn_dataset_get_info(d, &info);
        if (rows[i].images != 0)
            assert_int_equal(info.n_images, rows[i].images);
        assert_int_equal(info.n_annotations, rows[i].annotations);
        if (rows[i].classes != 0)
            assert_int_equal(info.n_classes, rows[i].classes);
        tn_dataset_close(d);
        n++;
    }
    print_message("%d of the shared fixtures, the others are not here\n", n);
    if (n == 0) skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(coco_to_coco_is_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_masks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_lists_come_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(captions_lie_beside_instances, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(captions_may_say_otherwise, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(captions_survive_lack_of_memory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(captions_have_no_classes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(survives_lack_of_memory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(results_of_no_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fields_of_other_formats, set_up,
                                        tear_down),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
