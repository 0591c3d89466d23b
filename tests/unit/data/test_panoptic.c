/* SPDX-License-Identifier: Apache-2.0 */
/* test_panoptic.c - COCO panoptic: segments in PNG files, read and written */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "tenon/image.h"

/* The segments of a 4 x 3 image. 460551 is 7 + 256 * 7 + 65536 * 7. */
static const uint32_t ids[12] = {1, 1, 0,      460551, /* row by row */
                                 1, 2, 460551, 460551, /**/
                                 2, 2, 0,      460551};

/* A PNG of these values, or of others. */
static void paint(const char *name, const uint32_t *values, int64_t w,
                  int64_t h)
{
    uint8_t rgb[300];
    char to[TMP_PATH];
    tn_image_view v = TN_IMAGE_VIEW_INIT;
    for (int64_t i = 0; i < w * h; i++)
        for (int64_t k = 0; k < 3; k++)
            rgb[3 * i + k] = (uint8_t)(values[i] >> 8 * k);
    v.width = w;
    v.height = h;
    v.channels = 3;
    v.bits = 8;
    v.stride = 3 * (size_t)w;
    v.pixels = rgb;
    put(name, "");
    tmp_path(to, dir, name);
    assert_int_equal(tn_image_write(to, "png", &v, &err), TN_OK);
}

#define CATEGORIES                                                             \
    "\"categories\": [{\"id\": 1, \"name\": \"sky\", \"isthing\": 0, "         \
    "\"color\": [1, 2, 3]}, {\"id\": 7, \"name\": \"dog\", \"isthing\": 1, "   \
    "\"supercategory\": \"animal\"}]}"

static const char full[] =
    "{\"info\": {\"year\": 1}, \"images\": [{\"id\": 3, \"file_name\": "
    "\"a.jpg\", \"width\": 4, \"height\": 3}, {\"id\": 4, \"file_name\": "
    "\"e.jpg\", \"width\": 2, \"height\": 1}, {\"id\": 5, \"file_name\": "
    "\"u.jpg\", \"width\": 2, \"height\": 1}], \"annotations\": "
    "[{\"image_id\": "
    "3, \"file_name\": \"a.png\", \"segments_info\": [{\"id\": 1, "
    "\"category_id\": 1, \"bbox\": [0, 0, 2, 2], \"area\": 3, \"iscrowd\": 0}, "
    "{\"id\": 2, \"category_id\": 7, \"bbox\": [0, 1, 2, 2], \"area\": 3, "
    "\"iscrowd\": 1, \"mine\": [1]}, {\"id\": 460551, \"category_id\": 7, "
    "\"bbox\": [2, 0, 2, 3], \"area\": 4, \"iscrowd\": 0}]}, {\"image_id\": 4, "
    "\"file_name\": \"e.png\", \"segments_info\": []}], " CATEGORIES;

static void make_full(void)
{
    const uint32_t nothing[2] = {0, 0};
    paint("in/annotations/panoptic_val/a.png", ids, 4, 3);
    paint("in/annotations/panoptic_val/e.png", nothing, 2, 1);
    put("in/annotations/panoptic_val.json", full);
    tmp_path(path, dir, "in");
}

static void runs_are(const tn_dataset *d, size_t ann, size_t n,
                     const uint32_t *runs)
{
    tn_shape s = TN_SHAPE_INIT;
    shape_of(d, ann, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_int_equal(s.width, 4);
    assert_int_equal(s.height, 3);
    assert_int_equal(s.n_runs, n);
    assert_memory_equal(s.runs, runs, n * sizeof *runs);
    tn_shape_fini(&s);
}

static void look_at_full(const tn_dataset *d)
{
    static const uint32_t first[] = {0, 2, 1, 1, 8};
    static const uint32_t second[] = {2, 1, 1, 2, 6};
    static const uint32_t third[] = {7, 1, 1, 3};
    double v = 0.0;
    assert_string_equal(info_of(d).variant, "panoptic");
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 3);
    runs_are(d, 0, 5, first);
    runs_are(d, 1, 5, second);
    runs_are(d, 2, 4, third);
    assert_string_equal(class_of(d, 0), "sky");
    assert_int_equal(ann_of(d, 1).flags & TN_IS_CROWD, TN_IS_CROWD);
    assert_int_equal(ann_of(d, 2).id.number, 460551);
    assert_true(tn_dataset_num(d, 0, TN_NUM_AREA, &v) && v == 3.0);
    assert_box(d, 2, 2, 0, 4, 3);
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0), "\"mine\": [1]");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
}

static void reads_everything(void **state)
{
    (void)state;
    make_full();
    tn_dataset *d = open_as(NULL, path);
    look_at_full(d);
    assert_int_equal(info_of(d).n_notes, 0);
    tn_dataset_close(d);
    tmp_path(path, dir, "in/annotations/panoptic_val.json");
    d = open_as(NULL, path);
    look_at_full(d);
    tn_dataset_close(d);
}

static tn_status to_panoptic(const tn_dataset *d, const char *to,
                             const char *allow, char lost[400])
{
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    tn_loss loss = TN_LOSS_INIT;
    o.format = "coco";
    o.variant = "panoptic";
    o.allow_loss = allow;
    memset(&err, 0, sizeof err);
    const tn_status status = tn_dataset_convert(&c, d, to, &o, &err);
    lost[0] = '\0';
    for (size_t i = 0; tn_conversion_loss(c, i, &loss) == TN_OK; i++) {
        const size_t n = strlen(lost);
        (void)snprintf(lost + n, 400 - n, "%s%s", n > 0 ? "," : "", loss.code);
    }
    tn_conversion_free(c);
    return status;
}

static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400];
    make_full();
    tn_dataset *d = open_as(NULL, path);
    tmp_path(to, dir, "out");
    assert_int_equal(to_panoptic(d, to, NULL, lost), TN_OK);
    assert_string_equal(lost, "");
    tn_dataset_close(d);
    same_file(GOLDEN "panoptic", "annotations/panoptic_val.json", to,
              "annotations/panoptic_val.json");
    d = open_as(NULL, to);
    look_at_full(d);
    tn_dataset_close(d);
    d = open_as(NULL, GOLDEN "panoptic");
    look_at_full(d);
    tn_dataset_close(d);
}

/* As instances: masks stay, ids that count anew in every image cannot. */
static void to_instances(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400];
    static const uint32_t ones[2] = {1, 1};
    make_full();
    tn_dataset *d = open_as(NULL, path);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "coco", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "empty-images");
    tn_dataset_close(d);
    paint("two/panoptic_x/a.png", ones, 2, 1);
    put("two/panoptic_x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}, {\"id\": 2, "
        "\"file_name\": \"b.jpg\"}], \"annotations\": [{\"image_id\": 1, "
        "\"file_name\": \"a.png\", \"segments_info\": [{\"id\": 1, "
        "\"category_id\": 1}]}, {\"image_id\": 2, \"file_name\": \"a.png\", "
        "\"segments_info\": [{\"id\": 1, \"category_id\": 1}]}], " CATEGORIES);
    tmp_path(path, dir, "two/panoptic_x.json");
    d = open_as("coco", path);
    tmp_path(to, dir, "out.json");
    assert_int_equal(convert(d, to, "coco", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "annotation-ids,splits");
    must_convert(d, to, "coco", "all");
    tn_dataset_close(d);
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.flags = TN_DATASET_NO_RESIDUE;
    assert_int_equal(tn_dataset_open(&d, to, &o, &err), TN_OK);
    assert_int_equal(ann_of(d, 0).id.number, 1);
    assert_int_equal(ann_of(d, 1).id.number, 2);
    assert_int_equal(tn_dataset_shape_kind(d, 1), TN_SHAPE_RLE);
    tn_dataset_close(d);
}

static const char instances[] =
    "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 8, "
    "\"height\": 8}, {\"id\": 2, \"file_name\": \"a.png\", \"width\": 8, "
    "\"height\": 8}], \"annotations\": [{\"id\": 99999999, \"image_id\": 1, "
    "\"category_id\": 1, \"bbox\": [0, 0, 4, 4], \"segmentation\": [[0, 0, 4, "
    "0, 4, 4, 0, 4]]}, {\"id\": 2, \"image_id\": 1, \"category_id\": 7, "
    "\"bbox\": [%d, 4, 4, 4], \"segmentation\": [[%d, 0, 8, 0, 8, 8, %d, 8]]}, "
    "{\"id\": 3, \"image_id\": 2, \"category_id\": 7, \"bbox\": [0, 0, 1, "
    "1]}], " CATEGORIES;

/* Outlines are drawn. */
static void from_instances(void **state)
{
    (void)state;
    char text[2000], to[TMP_PATH], lost[400];
    tn_shape s = TN_SHAPE_INIT;
    (void)snprintf(text, sizeof text, instances, 4, 4, 4);
    tn_dataset *d = open_text("coco", "x.json", text);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    assert_int_equal(to_panoptic(d, to, NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "boxes,polygons,annotation-ids");
    assert_int_equal(to_panoptic(d, to, "all", lost), TN_OK);
    tn_dataset_close(d);
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.flags = TN_DATASET_NO_RESIDUE;
    assert_int_equal(tn_dataset_open(&d, to, &o, &err), TN_OK);
    assert_int_equal(info_of(d).n_annotations, 2);
    shape_of(d, 0, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_int_equal(s.runs[1], 4);
    assert_int_equal(ann_of(d, 0).id.number, 1); /* 24 bits */
    tn_shape_fini(&s);
    tn_dataset_close(d);
    size_t n = 0;
    free(bytes_of(to, "annotations/panoptic/a.png", &n));
    free(bytes_of(to, "annotations/panoptic/a.png.png", &n));
    (void)snprintf(text, sizeof text, instances, 2, 2, 2);
    d = open_text("coco", "x.json", text);
    tmp_path(to, dir, "one.json");
    assert_int_equal(to_panoptic(d, to, "all", lost), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "name a folder"));
    tn_dataset_close(d);
}

/* A pixel is of one segment, the one drawn last; what has none is left out of
 * the file, as panopticapi wants it. All comes back by the residue. */
static void overlapping_masks_are_a_loss(void **state)
{
    (void)state;
    char to[TMP_PATH], back[TMP_PATH], lost[400];
    double v = 0.0;
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 4, "
        "\"height\": 3}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "
        "\"category_id\": 1, \"bbox\": [0, 0, 2, 3], \"area\": 5, "
        "\"segmentation\": {\"size\": [3, 4], \"counts\": [0, 6, 6]}}, "
        "{\"id\": 2, \"image_id\": 1, \"category_id\": 7, \"bbox\": [3, 0, 1, "
        "1], \"segmentation\": {\"size\": [3, 4], \"counts\": [9, 1, 2]}}, "
        "{\"id\": 3, \"image_id\": 1, \"category_id\": 7, \"bbox\": [1, 0, 3, "
        "3], \"segmentation\": {\"size\": [3, 4], \"counts\": [3, "
        "9]}}], " CATEGORIES);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    assert_int_equal(to_panoptic(d, to, NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "overlapping-masks");
    assert_non_null(strstr(err.message, ": 2 overlapping-masks;"));
    assert_int_equal(to_panoptic(d, to, "overlapping-masks", lost), TN_OK);
    tn_dataset_close(d);
    o.flags = TN_DATASET_NO_RESIDUE;
    assert_int_equal(tn_dataset_open(&d, to, &o, &err), TN_OK);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_int_equal(noted(d, "empty-segment"), 0);
    shape_of(d, 0, &s);
    assert_int_equal(s.runs[1], 3);
    assert_true(tn_dataset_num(d, 0, TN_NUM_AREA, &v) && v == 3.0);
    assert_int_equal(ann_of(d, 1).id.number, 3);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    tmp_path(back, dir, "back.json");
    must_convert(d, back, "coco", "all");
    tn_dataset_close(d);
    d = open_as("coco", back);
    assert_int_equal(info_of(d).n_annotations, 3);
    shape_of(d, 0, &s);
    assert_int_equal(s.runs[1], 6);
    assert_true(tn_dataset_num(d, 0, TN_NUM_AREA, &v) && v == 5.0);
    shape_of(d, 2, &s); /* it was left out: it comes behind the others */
    assert_int_equal(ann_of(d, 2).id.number, 2);
    assert_int_equal(s.runs[0], 9);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

static void oddities_are_noted(void **state)
{
    (void)state;
    static const uint32_t values[2] = {1, 9};
    paint("panoptic_x/a.png", values, 2, 1);
    paint("panoptic_x/c.png", values, 2, 1);
    tn_dataset *d = open_text(
        "coco", "panoptic_x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}, {\"id\": 2, "
        "\"file_name\": \"b.jpg\"}, {\"id\": 3, \"file_name\": \"c.jpg\", "
        "\"width\": 3, \"height\": 1}], \"annotations\": [{\"image_id\": 1, "
        "\"file_name\": \"a.png\", \"x\": 1, \"segments_info\": [{\"id\": 1, "
        "\"category_id\": 1}, {\"id\": 1, \"category_id\": 1}, {\"id\": 5, "
        "\"category_id\": 1}]}, {\"image_id\": 2, \"file_name\": "
        "\"../x.png\", \"segments_info\": [{\"id\": 1, \"category_id\": 1}]}, "
        "{\"image_id\": 3, \"file_name\": \"c.png\", \"segments_info\": "
        "[{\"id\": 1, \"category_id\": 1}]}], " CATEGORIES);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(noted(d, "panoptic-field"), 1);
    assert_int_equal(noted(d, "duplicate-segment"), 1);
    assert_int_equal(noted(d, "empty-segment"), 2);
    assert_int_equal(noted(d, "unknown-segment"), 1);
    assert_int_equal(noted(d, "mask-not-found"), 1);
    assert_int_equal(noted(d, "mask-size"), 1);
    assert_int_equal(tn_dataset_shape_kind(d, 0), TN_SHAPE_RLE);
    assert_int_equal(tn_dataset_shape_kind(d, 3), TN_SHAPE_MASK_FILE);
    assert_int_equal(tn_dataset_shape_kind(d, 4), TN_SHAPE_MASK_FILE);
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const char *const segment[] = {"\"id\": 0", "\"id\": 16777216",
                                          "\"id\": \"1\""};
    char text[600];
    paint("panoptic_x/a.png", ids, 4, 3);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
                       "\"annotations\": [{\"image_id\": 1, \"file_name\": "
                       "\"a.png\", \"segments_info\": [{%s, \"category_id\": "
                       "1}]}], " CATEGORIES,
                       segment[i]);
        assert_null(open_text("coco", "panoptic_x.json", text));
        assert_non_null(strstr(err.message, "no id of 1 to 16777215"));
        assert_non_null(strstr(err.where, "panoptic_x.json"));
    }
    put("panoptic_x/a.png", "no image");
    (void)snprintf(text, sizeof text,
                   "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
                   "\"annotations\": [{\"image_id\": 1, \"file_name\": "
                   "\"a.png\", \"segments_info\": [{\"id\": 1, "
                   "\"category_id\": 1}]}], " CATEGORIES);
    assert_null(open_text("coco", "panoptic_x.json", text));
    assert_non_null(strstr(err.where, "panoptic_x"));
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t images, annotations, files;
    } rows[] = {
        {"datumaro-assets/coco_dataset/coco_panoptic", 2, 3, 1},
        {"datumaro-assets-cvat/coco_dataset/coco_panoptic", 2, 3, 1},
        {"datumaro-assets/mapillary_vistas_dataset/val/v1.2/panoptic/"
         "panoptic_2018.json",
         2, 5, 0},
        {"datumaro-assets/mapillary_vistas_dataset/train/v2.0/panoptic/"
         "panoptic_2020.json",
         1, 5, 0},
    };
    int found = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[1024], to[TMP_PATH], lost[400];
        size_t files = 0;
        if (!shared(name, rows[i].name)) continue;
        found++;
        tn_dataset *d = open_as(NULL, name);
        assert_int_equal(info_of(d).n_images, rows[i].images);
        assert_int_equal(info_of(d).n_annotations, rows[i].annotations);
        for (size_t k = 0; k < rows[i].annotations; k++)
            files += tn_dataset_shape_kind(d, k) == TN_SHAPE_MASK_FILE;
        assert_int_equal(files, rows[i].files);
        (void)snprintf(to, sizeof to, "%.400s/out%zu", dir, i);
        assert_int_equal(to_panoptic(d, to, "all", lost), TN_OK);
        assert_string_equal(lost, files > 0 ? "boxes,mask-files" : "");
        tn_dataset_close(d);
    }
    if (found == 0) skip();
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    make_full();
    survives_oom(path, "coco");
}

#define IN(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(reads_everything),
        IN(golden),
        IN(to_instances),
        IN(from_instances),
        IN(overlapping_masks_are_a_loss),
        IN(oddities_are_noted),
        IN(refuses_broken),
        IN(shared_fixtures),
        IN(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
