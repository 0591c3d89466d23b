/* SPDX-License-Identifier: Apache-2.0 */
/* test_webdataset.c - WebDataset: samples, traps, hostile input, round trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "base/inflate.h"
#include "data/tar.h"

typedef struct bytes {
    size_t n;
    uint8_t p[1 << 17];
} bytes;

static bytes file;

/* The header of a GIF of 3 x 2 pixels: enough to know its size. */
static const char gif[] = "GIF89a\3\0\2\0\0\0\0,\0\0\0\0\3\0\2\0\0\2\1\0\0;";

static tn_status collect(void *ctx, const void *p, size_t n, tn_err *e)
{
    bytes *b = ctx;
    (void)e;
    assert_true(b->n + n <= sizeof b->p);
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return TN_OK;
}

static const tni_byte_sink sink = {&file, collect};

static void blob(const char *name, const void *p, size_t n)
{
    assert_int_equal(tni_tar_put(&sink, name, p, n, &err), TN_OK);
}

static void member(const char *name, const char *text)
{
    blob(name, text, strlen(text));
}

static void image(const char *name)
{
    blob(name, gif, sizeof gif - 1);
}

static void save(const char *name)
{
    assert_int_equal(tni_tar_end(&sink, &err), TN_OK);
    put(name, "");
    tmp_write(dir, name, file.p, file.n);
    file.n = 0;
}

static tn_dataset *open_tar(void)
{
    save("x.tar");
    tmp_path(path, dir, "x.tar");
    return open_as(NULL, path);
}

static int begin(void **state)
{
    file.n = 0;
    return set_up(state);
}

#define IN(f) cmocka_unit_test_setup_teardown(f, begin, tear_down)

/* --- reading --------------------------------------------------------------- */

static const char one_image[] =
    "{\"images\": [{\"id\": 7, \"file_name\": \"a b.v2.gif\", \"width\": 3, "
    "\"height\": 2, \"lens\": 1}], \"annotations\": [{\"id\": 1, "
    "\"image_id\": 7, \"category_id\": 2, \"bbox\": [0, 0, 2, 1], \"area\": 2, "
    "\"iscrowd\": 0, \"who\": \"x\"}, {\"id\": 2, \"image_id\": 7, "
    "\"category_id\": 5}, {\"id\": 3, \"image_id\": 7, \"caption\": \"a "
    "caption\"}], \"categories\": [{\"id\": 2, \"name\": \"cat\"}, {\"id\": 5, "
    "\"name\": \"dog\", \"supercategory\": \"s\"}]}";

static void make_full(void)
{
    image("a/a b_v2.gif");
    member("a/a b_v2.cls", "5");
    member("a/a b_v2.json", one_image);
    member("a/a b_v2.txt", "a caption");
    image("b.gif");
    member("b.json", "{\"images\": [{\"id\": 8, \"file_name\": \"b.gif\"}], "
                     "\"annotations\": [], \"categories\": []}");
    image("c.gif");
    member("c.json", "{\"images\": [{\"id\": 9, \"file_name\": \"c.gif\"}]}");
    save("in/train-000000.tar");
    put("in/dataset.json",
        "{\"info\": {\"year\": 2}, \"categories\": [{\"id\": 5, \"name\": "
        "\"dog\", \"supercategory\": \"s\"}, {\"id\": 2, \"name\": \"cat\"}, "
        "{\"id\": 9, \"name\": \"unused\"}], \"mine\": [1]}");
    tmp_path(path, dir, "in");
}

static void look_at_full(const tn_dataset *d)
{
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 3);
    assert_int_equal(info_of(d).n_classes, 3);
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_string_equal(image_of(d, 0).name, "a b.v2.gif");
    assert_int_equal(image_of(d, 0).id.number, 7);
    assert_int_equal(image_of(d, 0).width, 3);
    assert_int_equal(image_of(d, 0).raw_height, 2);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0), "\"lens\": 1");
    assert_int_equal(tn_dataset_image_bytes(d, 0).size, sizeof gif - 1);
    assert_memory_equal(tn_dataset_image_bytes(d, 0).data, gif, sizeof gif - 1);
    assert_string_equal(class_of(d, 0), "cat");
    assert_box(d, 0, 0, 0, 2, 1);
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0), "\"who\": \"x\"");
    assert_string_equal(class_of(d, 1), "dog");
    assert_int_equal(ann_of(d, 1).class_index, 0); /* as dataset.json has it */
    assert_text(tn_dataset_text(d, 2, TN_TEXT_CAPTION, 0), "\"a caption\"");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
}

static void reads_everything(void **state)
{
    (void)state;
    make_full();
    tn_dataset *d = open_as(NULL, path);
    assert_string_equal(info_of(d).format, "webdataset");
    look_at_full(d);
    tn_dataset_close(d);
}

static void round_trip_is_the_same(void **state)
{
    (void)state;
    char to[TMP_PATH], again[TMP_PATH];
    make_full();
    tn_dataset *d = open_as(NULL, path);
    tmp_path(to, dir, "out");
    must_convert(d, to, "webdataset", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_full(d);
    tmp_path(again, dir, "again");
    must_convert(d, again, "webdataset", NULL);
    tn_dataset_close(d);
    same_file(to, "train-000000.tar", again, "train-000000.tar");
    same_file(to, "dataset.json", again, "dataset.json");
}

static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "webdataset");
    look_at_full(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "webdataset", NULL);
    tn_dataset_close(d);
    same_file(GOLDEN "webdataset", "train-000000.tar", to, "train-000000.tar");
    same_file(GOLDEN "webdataset", "dataset.json", to, "dataset.json");
}

/* What others write: classes by number or name, captions, any JSON. */
static void foreign_samples(void **state)
{
    (void)state;
    image("000000.GIF");
    member("000000.CLS", "12\n");
    member("000000.json", "{\"caption\": \"x\", \"width\": 3, \"annotations\": "
                          "\"none\", \"images\": [1]}");
    image("000001.gif");
    member("000001.cls", "3");
    member("000001.txt", "two \"words\"");
    image("000002.gif");
    member("000002.cls", "no cat");
    image("000003.gif");
    member("000003.json",
           "[{\"bbox\": [0, 0, 1, 1], \"category_id\": 3, \"id\": 1}]");
    image("000004.gif");
    member("000004.json",
           "{\"annotations\": [{\"bbox\": [0, 0, 1, 1], \"category_id\": 3, "
           "\"image_id\": 99}], \"key\": \"000004\"}");
    member("000005.txt", "no image");
    image("000006.gif");
    member("000006.json", "[1, 2]");
    member("000006.cls", " ");
    member("000006.txt", "\xff");
    tn_dataset *d = open_tar();
    assert_int_equal(info_of(d).n_images, 7);
    assert_int_equal(info_of(d).n_annotations, 7);
    assert_string_equal(image_of(d, 0).name, "000000.GIF");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"caption\": \"x\"");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 3),
                "\"images\": [1]");
    assert_string_equal(class_of(d, 0), "12");
    assert_string_equal(class_of(d, 1), "3");
    assert_text(tn_dataset_text(d, 2, TN_TEXT_CAPTION, 0),
                "\"two \\\"words\\\"\"");
    assert_string_equal(class_of(d, 3), "no cat");
    assert_string_equal(class_of(d, 4), "3");
    assert_box(d, 4, 0, 0, 1, 1);
    assert_int_equal(ann_of(d, 5).image, 4);
    assert_string_equal(image_of(d, 5).name, "000005");
    assert_null(tn_dataset_image_bytes(d, 5).data);
    /* By number, those without one behind. */
    tn_class_row row = TN_CLASS_ROW_INIT;
    assert_int_equal(tn_dataset_class(d, 0, &row), TN_OK);
    assert_string_equal(row.name, "3");
    assert_int_equal(tn_dataset_class(d, 2, &row), TN_OK);
    assert_string_equal(row.name, "no cat");
    assert_text(tn_dataset_image_text(d, 6, TN_TEXT_EXTRA, 0),
                "\".json\": [1, 2]");
    assert_int_equal(noted(d, "other-member"), 0);
    assert_int_equal(noted(d, "empty-class"), 1);
    tn_dataset_close(d);
}

/* The .json has the class; a .cls that says another is not silent. */
static void classes_are_said_twice(void **state)
{
    (void)state;
    static const char json[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.gif\"}], "
        "\"annotations\": [{\"image_id\": 1, \"category_id\": 5}], "
        "\"categories\": [{\"id\": 5, \"name\": \"dog\"}]}";
    static const struct {
        const char *cls;
        unsigned n;
    } cases[] = {
        {"5", 0}, {" dog\n", 0}, {"0", 0},    {"", 0},
        {"6", 1}, {"cat", 1},    {"\xff", 1}, {"99999999999999999", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        file.n = 0;
        image("a.gif");
        member("a.cls", cases[i].cls);
        member("a.json", json);
        tn_dataset *d = open_tar();
        assert_int_equal(info_of(d).n_annotations, 1);
        assert_string_equal(class_of(d, 0), "dog");
        assert_int_equal(noted(d, "class-conflict"), cases[i].n);
        tn_dataset_close(d);
    }
}

/* A dot ends the key; other images and members of a sample are counted. */
static void dotted_names(void **state)
{
    (void)state;
    image("img.rgb.gif");
    image("img.gif");
    member("img.seg.npy", "x");
    image("d.1/x.left.gif");
    image("d.1/x.right.gif");
    member("README", "x");
    member(".hidden", "x");
    member("__MACOSX__/x.jpg", "x");
    tn_dataset *d = open_tar();
    assert_int_equal(info_of(d).n_images, 2);
    assert_string_equal(image_of(d, 0).name, "img.gif");
    assert_string_equal(image_of(d, 1).name, "d.1/x.left.gif");
    assert_int_equal(noted(d, "further-image"), 2);
    assert_int_equal(noted(d, "other-member"), 3);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\".seg.npy\": \"x\"");
    tn_dataset_close(d);
}

/* What no format reads stays: texts as fields, the rest as files of the image,
 * which other formats lose and the residue keeps. */
static void other_members_come_back(void **state)
{
    (void)state;
    static const char npy[] = "\x93NUMPY\1\0v";
    static char large[70000];
    char to[TMP_PATH], coco[TMP_PATH], again[TMP_PATH], lost[400];
    memset(large, 'x', sizeof large);
    image("a.gif");
    member("a.caption.txt", "two\nlines \"quoted\"\n");
    blob("a.depth.npy", npy, sizeof npy - 1);
    member("a.empty", "");
    member("a.json", "{\"lens\": 1}");
    blob("a.large", large, sizeof large);
    member("a.meta.json", " {\"k\": [1, {\"v\": null}]}\n");
    member("a.odd.json", "{broken");
    image("a.seg.gif");
    member("a.txt", "\xff no UTF-8");
    member("b.npy", "no image");
    tn_dataset *d = open_tar();
    assert_int_equal(info_of(d).n_images, 1);
    assert_int_equal(noted(d, "other-member"), 1);
    assert_int_equal(noted(d, "further-image"), 1);
    tmp_path(to, dir, "out");
    must_convert(d, to, "webdataset", NULL);
    tmp_path(coco, dir, "coco");
    assert_int_equal(convert(d, coco, "coco", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "image-files");
    assert_non_null(strstr(err.message, ": 5 image-files;"));
    must_convert(d, coco, "coco", "image-files");
    tn_dataset_close(d);
    size_t n = 0;
    char *text = bytes_of(coco, "annotations/instances.json", &n);
    assert_non_null(strstr(text, "\".caption.txt\": \"two\\nlines "
                                 "\\\"quoted\\\"\\n\""));
    assert_non_null(
        strstr(text, "\".meta.json\": {\"k\": [1, {\"v\": null}]}"));
    free(text);
    d = open_as(NULL, to);
    tmp_path(again, dir, "again");
    must_convert(d, again, "webdataset", NULL);
    tn_dataset_close(d);
    same_file(to, "data-000000.tar", again, "data-000000.tar");
    d = open_as(NULL, coco);
    tmp_path(again, dir, "third");
    must_convert(d, again, "webdataset", NULL);
    tn_dataset_close(d);
    text = bytes_of(again, "data-000000.tar", &n);
    static const char *const names[] = {
        "a.caption.txt", "a.depth.npy", "a.empty",    "a.gif",     "a.json",
        "a.large",       "a.meta.json", "a.odd.json", "a.seg.gif", "a.txt"};
    size_t k = 0;
    for (size_t i = 0; i + 512 <= n && k < 10; i += 512)
        if (strcmp(text + i, names[k]) == 0) k++;
    assert_int_equal(k, 10);
    free(text);
}

/* Names that members have already are not taken twice. */
static void members_are_unique(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.gif\", \".json\": [], "
        "\".note\": \"1\", \".note\": \"2\", \".no/te\": \"3\", \".num\": 4, "
        "\".\": \"5\"}], \"annotations\": [], \"categories\": []}");
    assert_non_null(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "webdataset", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    static const char *const fields[] = {
        "\".no/te\": \"3\"", "\".num\": 4",          "\".\": \"5\"",
        "\".note\": \"1\"",  "\".other1.json\": []", "\".other1.note\": \"2\""};
    for (size_t i = 0; i < 6; i++)
        assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, i), fields[i]);
    assert_null(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 6).data);
    tn_dataset_close(d);
}

/* Names that would be one sample are written as several. */
static void keys_are_unique(void **state)
{
    (void)state;
    char to[TMP_PATH];
    static const char json[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"i.v1.gif\"}, {\"id\": 2, "
        "\"file_name\": \"i_v1.gif\"}, {\"id\": 3, \"file_name\": "
        "\"__a__/.x.gif\"}, {\"id\": 4, \"file_name\": \"none\"}, {\"id\": 5, "
        "\"file_name\": \"d.d/i.v1.gif\"}, {\"id\": 6, \"file_name\": "
        "\"i.v1.png\"}], \"annotations\": [], \"categories\": []}";
    put("i.v1.gif", gif);
    tn_dataset *d = open_text("coco", "x.json", json);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "webdataset", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_images, 6);
    assert_string_equal(image_of(d, 0).name, "i.v1.gif");
    assert_non_null(tn_dataset_image_bytes(d, 0).data);
    assert_string_equal(image_of(d, 2).name, "__a__/.x.gif");
    assert_string_equal(image_of(d, 5).name, "i.v1.png");
    tn_dataset_close(d);
    size_t n = 0, found = 0;
    static const char *const keys[] = {
        "i_v1.gif",  "i_v1.json",     "i_v1_1.json", "x__a__/_x.json",
        "none.json", "d.d/i_v1.json", "i_v1_2.json"};
    char *text = bytes_of(to, "data-000000.tar", &n);
    for (size_t i = 0; i + 512 <= n; i += 512)
        for (size_t k = 0; k < 7; k++)
            if (strcmp(text + i, keys[k]) == 0) found++;
    free(text);
    assert_int_equal(found, 7);
}

/* --- shards and splits ----------------------------------------------------- */

static void splits_from_names(void **state)
{
    (void)state;
    static const struct {
        const char *file, *split;
    } cases[] = {
        {"train-000000.tar", "train"},
        {"coco_val_12.tar", "val"},
        {"train2017-01.tar", "train2017"},
        {"test0012.tar", "test"},
        {"00000.tar", NULL},
        {"laion-3.tar", NULL},
        {"valid/000.tar", "valid"},
        {"part 1/x-0.tar", "part 1"},
        {"shards/dev-0.tar", "dev"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        image("a.gif");
        member("a.cls", "0");
        save(cases[i].file);
        tn_dataset *d = open_as(NULL, dir);
        if (cases[i].split == NULL)
            assert_int_equal(image_of(d, 0).splits, 0);
        else
            assert_string_equal(tn_dataset_split(d, 0), cases[i].split);
        tn_dataset_close(d);
        char gone[TMP_PATH];
        tmp_path(gone, dir, cases[i].file);
        assert_int_equal(remove(gone), 0);
    }
}

static void shards_have_limits(void **state)
{
    (void)state;
    char to[TMP_PATH], last[TMP_PATH];
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    for (int i = 0; i < 5; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "%d.gif", i);
        image(name);
    }
    save("in/odd name.tar");
    tmp_path(path, dir, "in");
    tn_dataset *d = open_as("webdataset", path);
    o.format = "webdataset";
    o.shard_images = 2;
    tmp_path(to, dir, "images");
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    tmp_path(last, to, "data-000002.tar");
    assert_int_equal(access(last, R_OK), 0);
    o.shard_images = 0;
    o.shard_bytes = 1; /* one image is over it: a shard for each */
    tmp_path(to, dir, "bytes");
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    tmp_path(last, to, "data-000004.tar");
    assert_int_equal(access(last, R_OK), 0);
    tn_dataset *back = open_as(NULL, to);
    assert_int_equal(info_of(back).n_images, 5);
    assert_int_equal(noted(back, "missing-shards"), 0);
    tn_dataset_close(back);
    tmp_path(last, to, "data-000002.tar");
    assert_int_equal(remove(last), 0);
    back = open_as(NULL, to);
    assert_int_equal(info_of(back).n_images, 4);
    assert_int_equal(noted(back, "missing-shards"), 1);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void splits_are_written(void **state)
{
    (void)state;
    char to[TMP_PATH];
    static const char json[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
        "\"annotations\": [], \"categories\": []}";
    put("annotations/instances_val.json", json);
    put("annotations/instances_my_train.json", json);
    put("annotations/instances_train2017.json", json);
    tn_dataset *d = open_as("coco", dir);
    tmp_path(to, dir, "out");
    must_convert(d, to, "webdataset", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    assert_int_equal(info_of(d).n_splits, 3);
    tn_dataset_close(d);
    size_t n = 0;
    free(bytes_of(to, "val-000000.tar", &n));
    free(bytes_of(to, "my_train/data-000000.tar", &n));
    free(bytes_of(to, "train2017-000000.tar", &n));
}

/* --- images ---------------------------------------------------------------- */

static void images_come_out(void **state)
{
    (void)state;
    char to[TMP_PATH];
    size_t n = 0;
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    make_full();
    tn_dataset *d = open_as(NULL, path);
    tmp_path(to, dir, "coco");
    must_convert(d, to, "coco", "all");
    char *text = bytes_of(to, "images/train/a b.v2.gif", &n);
    assert_int_equal(n, sizeof gif - 1);
    assert_memory_equal(text, gif, n);
    free(text);
    o.format = "webdataset";
    o.images = TN_FILES_NONE;
    tmp_path(to, dir, "bare");
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    tn_dataset *back = open_as(NULL, to);
    assert_int_equal(info_of(back).n_annotations, 3);
    assert_null(tn_dataset_image_bytes(back, 0).data);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* --- hostile input --------------------------------------------------------- */

static void refuses(const char *says)
{
    save("x.tar");
    tmp_path(path, dir, "x.tar");
    tn_dataset *d = try_open("webdataset", path);
    if (d != NULL) fail_msg("taken, expected: %s", says);
    if (strstr(err.message, says) == NULL)
        fail_msg("expected '%s', found: %s", says, err.message);
    assert_non_null(strstr(err.where, "x.tar"));
}

static void refuses_broken(void **state)
{
    (void)state;
    member("a.json", "{\"x\": ");
    refuses("where a value is expected");
    assert_non_null(strstr(err.where, "'a.json'"));
    assert_true(err.offset >= 512);
    member("a.json", "");
    refuses("the text ends where an object is expected");
    member("a.json", "[1, ");
    refuses("where a value is expected");
    member("a.cls", "\xff\xfe");
    refuses("neither a number nor a name");
    image("a.gif");
    image("a.GIF");
    refuses("two members '.gif'");
    member("a.json", "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}, "
                     "{\"id\": 2, \"file_name\": \"b\"}]}");
    refuses("several images in the text of one sample");
    put("dataset.json", "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}]}");
    image("a.gif");
    save("x.tar");
    assert_null(try_open("webdataset", path));
    assert_non_null(strstr(err.message, "where there should be none"));
    put("dataset.json", "{}");
    image("a.gif");
    file.p[100] ^= 1;
    refuses("checksum");
    put("empty/x.txt", "");
    tmp_path(path, dir, "empty");
    assert_null(try_open("webdataset", path));
    assert_non_null(strstr(err.message, "has no shards"));
}

static void cut_archives_are_noted(void **state)
{
    (void)state;
    image("a.gif");
    tmp_write(dir, "x.tar", file.p, file.n);
    tmp_path(path, dir, "x.tar");
    tn_dataset *d = open_as(NULL, path);
    assert_int_equal(noted(d, "cut-archive"), 1);
    tn_dataset_close(d);
}

/* gzip of stored blocks. */
static void compressed(void **state)
{
    (void)state;
    static bytes z;
    image("a.gif");
    member("a.cls", "1");
    assert_int_equal(tni_tar_end(&sink, &err), TN_OK);
    const uint32_t crc = tni_crc32(0, file.p, file.n);
    const uint16_t n = (uint16_t)file.n, m = (uint16_t)~n;
    const uint8_t head[15] = {0x1f,
                              0x8b,
                              8,
                              0,
                              0,
                              0,
                              0,
                              0,
                              0,
                              3,
                              1,
                              (uint8_t)n,
                              (uint8_t)(n >> 8),
                              (uint8_t)m,
                              (uint8_t)(m >> 8)};
    memcpy(z.p, head, 15);
    memcpy(z.p + 15, file.p, file.n);
    z.n = 15 + file.n;
    for (int i = 0; i < 4; i++) z.p[z.n++] = (uint8_t)(crc >> 8 * i);
    for (int i = 0; i < 4; i++)
        z.p[z.n++] = (uint8_t)((uint32_t)file.n >> 8 * i);
    tmp_write(dir, "val-0.tar.gz", z.p, z.n);
    tmp_path(path, dir, "val-0.tar.gz");
    tn_dataset *d = open_as(NULL, path);
    assert_string_equal(tn_dataset_split(d, 0), "val");
    assert_string_equal(class_of(d, 0), "1");
    assert_int_equal(image_of(d, 0).raw_width, 3);
    tn_dataset_close(d);
}

/* --- losses, other formats ------------------------------------------------- */

static const char rich[] =
    "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 9, "
    "\"height\": 9, \"x\": 1}], \"annotations\": [{\"id\": 4, \"image_id\": 1, "
    "\"category_id\": 0, \"bbox\": [1, 2, 3, 4], \"area\": 1.5, \"iscrowd\": "
    "0, \"segmentation\": [[1, 2, 4, 2, 4, 6]], \"score\": 0.5, "
    "\"attributes\": {\"k\": [1]}, \"n\": null}], \"categories\": [{\"id\": 0, "
    "\"name\": \"\\u00fc\", \"keypoints\": [\"a\"], \"skeleton\": []}], "
    "\"info\": {\"y\": 1}}";

static void coco_comes_back(void **state)
{
    (void)state;
    char to[TMP_PATH], again[TMP_PATH];
    tn_dataset *d = open_text("coco", "x.json", rich);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "webdataset", NULL);
    tn_dataset *back = open_as("webdataset", to);
    tmp_path(again, dir, "again.json");
    must_convert(back, again, "coco", NULL);
    tn_dataset_close(back);
    tmp_path(to, dir, "straight.json");
    must_convert(d, to, "coco", NULL);
    tn_dataset_close(d);
    same_file(dir, "straight.json", dir, "again.json");
}

static void losses_are_counted(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400];
    put("dm.json", "");
    tn_dataset *d = open_text(
        "via", "x.json",
        "{\"a\": {\"filename\": \"a.gif\", \"size\": 1, \"regions\": [{"
        "\"shape_attributes\": {\"name\": \"ellipse\", \"cx\": 1, \"cy\": 1, "
        "\"rx\": 1, \"ry\": 1}, \"region_attributes\": {\"label\": "
        "\"c\"}}]}}");
    assert_non_null(d);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "webdataset", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "ellipses");
    must_convert(d, to, "webdataset", "all");
    tn_dataset_close(d);
    d = open_as(NULL, to); /* dataset.json alone would be COCO */
    assert_int_equal(tn_dataset_shape_kind(d, 0), TN_SHAPE_ELLIPSE);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    make_full();
    survives_oom(path, "webdataset");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(reads_everything),
        IN(round_trip_is_the_same),
        IN(golden),
        IN(foreign_samples),
        IN(classes_are_said_twice),
        IN(dotted_names),
        IN(other_members_come_back),
        IN(members_are_unique),
        IN(keys_are_unique),
        IN(splits_from_names),
        IN(shards_have_limits),
        IN(splits_are_written),
        IN(images_come_out),
        IN(refuses_broken),
        IN(cut_archives_are_noted),
        IN(compressed),
        IN(coco_comes_back),
        IN(losses_are_counted),
        IN(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
