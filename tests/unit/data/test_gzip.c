/* SPDX-License-Identifier: Apache-2.0 */
/* test_gzip.c - datasets of one file that are compressed */
#include "formats.h"

#include "base/inflate.h"

/* gzip without compression: what this writes any program unpacks. */
static size_t pack(unsigned char *to, const char *text, size_t size)
{
    static const unsigned char head[] = {0x1f, 0x8b, 8,   8,   0,   0,   0, 0,
                                         0,    255,  'n', 'a', 'm', 'e', 0};
    size_t n = sizeof head;
    memcpy(to, head, n);
    for (size_t at = 0; at < size || at == 0;) {
        const size_t len = size - at < 60000 ? size - at : 60000;
        const unsigned char block[] = {
            at + len == size, (unsigned char)len, (unsigned char)(len >> 8),
            (unsigned char)~len, (unsigned char)(~len >> 8)};
        memcpy(to + n, block, sizeof block);
        memcpy(to + n + sizeof block, text + at, len);
        n += sizeof block + len;
        at += len;
        if (at == 0) break;
    }
    const uint32_t tail[2] = {tni_crc32(0, text, size), (uint32_t)size};
    for (int i = 0; i < 8; i++)
        to[n++] = (unsigned char)(tail[i / 4] >> (8 * (i % 4)));
    return n;
}

static unsigned char packed[1 << 18];
static size_t n_packed;

static const char *put_packed(const char *name, const char *text)
{
    n_packed = pack(packed, text, strlen(text));
    tmp_write(dir, name, packed, n_packed);
    tmp_path(path, dir, name);
    return path;
}

#define COCO                                                                   \
    "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 64, "      \
    "\"height\": 48}],\n\"categories\": [{\"id\": 3, \"name\": \"cat\"}],\n"   \
    "\"annotations\": [{\"id\": 7, \"image_id\": 1, \"category_id\": 3, "      \
    "\"bbox\": [1, 2, 3, 4]}]}\n"

/* Recognised by what they hold, and by their names without ".gz". */
static void test_formats(void **state)
{
    static const struct {
        const char *format, *name, *text;
    } rows[] = {
        {"coco", "instances_val2017.json.gz", COCO},
        {"coco", "no ending", COCO},
        {"csv", "train.csv.gz",
         "filename,width,height,class,xmin,ymin,xmax,ymax\n"
         "a.jpg,64,48,cat,1,2,4,6\n"},
        {"openimages", "train-annotations-bbox.csv.GZ",
         "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,"
         "IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
         "0001,xclick,/m/01,1,0.1,0.2,0.1,0.2,0,0,0,0,0\n"},
        {"voc", "a.xml.gz",
         "<annotation><filename>a.jpg</filename><size><width>64</width>"
         "<height>48</height><depth>3</depth></size><object><name>cat</name>"
         "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax>"
         "</bndbox></object></annotation>"},
        {"cvat", "annotations.xml.gz",
         "<annotations><version>1.1</version><image id=\"0\" name=\"a.jpg\" "
         "width=\"64\" height=\"48\"><box label=\"cat\" xtl=\"1\" ytl=\"2\" "
         "xbr=\"4\" ybr=\"6\" occluded=\"0\"/></image></annotations>"},
        {"createml", "labels.json.gz",
         "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"cat\", "
         "\"coordinates\": {\"x\": 2, \"y\": 4, \"width\": 2, \"height\": 4}}]"
         "}]"},
        {"via", "via.json.gz",
         "{\"_via_settings\": {}, \"_via_img_metadata\": {\"a.jpg-1\": "
         "{\"filename\": \"a.jpg\", \"size\": -1, \"regions\": "
         "[{\"shape_attributes\": {\"name\": \"rect\", \"x\": 1, \"y\": 2, "
         "\"width\": 3, \"height\": 4}, \"region_attributes\": {\"class\": "
         "\"cat\"}}], \"file_attributes\": {}}}, \"_via_attributes\": {}}"},
        {"labelme", "a.json.gz",
         "{\"version\": \"5.0.1\", \"flags\": {}, \"shapes\": [{\"label\": "
         "\"cat\", \"points\": [[1, 2], [4, 6]], \"group_id\": null, "
         "\"shape_type\": \"rectangle\", \"flags\": {}}], \"imagePath\": "
         "\"a.jpg\", \"imageData\": null, \"imageHeight\": 48, "
         "\"imageWidth\": 64}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *file = put_packed(rows[i].name, rows[i].text);
        tn_dataset *d = open_as(NULL, file);
        const tn_dataset_info info = info_of(d);
        if (strcmp(info.format, rows[i].format) != 0)
            fail_msg("%s is %s", rows[i].name, info.format);
        assert_string_equal(info.path, file);
        assert_int_equal(info.n_annotations, 1);
        tn_dataset_close(d);
        d = open_as(rows[i].format, file);
        assert_int_equal(info_of(d).n_annotations, 1);
        tn_dataset_close(d);
        assert_int_equal(unlink(file), 0);
    }
}

/* The split is that of the name without ".gz", and the class is where it is in
 * what comes out. A file beside it that has this name is another one. */
static void test_names_and_places(void **state)
{
    (void)state;
    put("instances_val2017.json", "[]");
    const char *file = put_packed("instances_val2017.json.gz", COCO);
    tn_dataset *d = open_as(NULL, file);
    assert_string_equal(tn_dataset_split(d, 0), "val2017");
    const tn_annotation_row row = ann_of(d, 0);
    assert_string_equal(row.place.file, file);
    assert_memory_equal(&COCO[row.place.offset], "{\"id\": 7", 8);
    tn_dataset_close(d);
}

/* A residue lies beside the file as it was before. */
static void test_residue(void **state)
{
    char to[TMP_PATH];
    size_t size = 0;
    (void)state;
    put("a.json", COCO);
    tmp_path(path, dir, "a.json");
    tn_dataset *d = open_as("coco", path);
    tmp_path(to, dir, "b.json");
    must_convert(d, to, "createml", "all");
    tn_dataset_close(d);
    char *text = bytes_of(dir, "b.json", &size);
    assert_int_equal(unlink(to), 0);
    d = open_as(NULL, put_packed("b.json.gz", text));
    assert_string_equal(info_of(d).format, "createml");
    assert_int_equal(ann_of(d, 0).id.number, 7);
    tn_dataset_close(d);
    free(text);
}

static void refuses(const char *name, const char *says)
{
    tmp_write(dir, name, packed, n_packed);
    tmp_path(path, dir, name);
    tn_dataset *d = try_open("coco", path);
    if (d != NULL) fail_msg("taken, expected: %s", says);
    if (strstr(err.message, says) == NULL)
        fail_msg("expected '%s', found: %s", says, err.message);
    if (strstr(err.where, "bad.json") == NULL)
        fail_msg("no file: %s", err.where);
}

static void test_refused(void **state)
{
    (void)state;
    put_packed("bad.json.gz", "{\"images\": [}");
    refuses("bad.json.gz", "");
    put_packed("bad.json.gz", COCO);
    packed[40] ^= 1;
    refuses("bad.json.gz", "checksum of the gzip stream is wrong");
    /* A bomb: few bytes that say they are many. */
    put_packed("bad.json.gz", COCO);
    memset(packed + n_packed - 4, 0xff, 4);
    refuses("bad.json.gz", "gzip says that it holds 4294967295 bytes");
    /* Two streams. */
    const size_t n = pack(packed, COCO, strlen(COCO));
    n_packed = n + pack(packed + n, COCO " ", strlen(COCO) + 1);
    refuses("bad.json.gz", "several in one file");
    /* Cut short. */
    n_packed = n - 20;
    refuses("bad.json.gz", "gzip");
    packed[3] = 0xe0;
    refuses("bad.json.gz", "a broken gzip header");
}

/* The limit for a file is one for what it holds. */
static void test_limits(void **state)
{
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    tn_limits limits = TN_LIMITS_INIT;
    char text[5000];
    (void)state;
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, COCO, strlen(COCO));
    const char *file = put_packed("bad.json.gz", text);
    o.limits = &limits;
    limits.max_file_bytes = 5100;
    assert_int_equal(tn_dataset_open(&d, file, &o, &err), TN_OK);
    tn_dataset_close(d);
    packed[n_packed - 3] = 0x14; /* says 5,247 bytes */
    tmp_write(dir, "bad.json.gz", packed, n_packed);
    assert_int_equal(tn_dataset_open(&d, file, &o, &err), TN_ELIMIT);
    assert_non_null(strstr(err.message, "the limit for a file is 5100"));
}

/* Archives of several files stay refused, with advice. */
static void test_archives(void **state)
{
    (void)state;
    tmp_write(dir, "a.zip", "PK\x03\x04, and more", 14);
    tmp_path(path, dir, "a.zip");
    assert_null(try_open(NULL, path));
    assert_non_null(strstr(err.message, "compressed (zip): unpack it"));
    assert_null(try_open(NULL, put_packed("a.gz", "neither this nor that")));
    assert_non_null(strstr(err.message, "compressed (gzip): unpack it"));
}

/* In a folder they are refused by name, and not passed over. */
static void test_folders(void **state)
{
    static const char *const names[] = {
        "instances_val2017.json.gz", "annotations/instances_val2017.json.gz",
        "train/metadata.csv.gz", "metadata.jsonl.GZ"};
    (void)state;
    tmp_path(path, dir, "annotations");
    assert_int_equal(mkdir(path, 0777), 0);
    tmp_path(path, dir, "train");
    assert_int_equal(mkdir(path, 0777), 0);
    tmp_write(dir, "annotations/instances_train2017.json", COCO,
              sizeof COCO - 1);
    tmp_write(dir, "images.tar.gz", "\x1f\x8b", 2);
    tn_dataset_close(open_as("coco", dir));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        put_packed(names[i], COCO);
        assert_null(try_open(NULL, dir));
        assert_int_equal(err.code, TN_EUNSUPPORTED);
        assert_non_null(strstr(err.message, "unpack it (gunzip)"));
        assert_non_null(strstr(err.where, names[i]));
        tmp_path(path, dir, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    tn_dataset_close(open_as(NULL, dir));
}

static void test_survives_oom(void **state)
{
    (void)state;
    put_packed("instances_val2017.json.gz", COCO);
    survives_oom(path, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_formats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_and_places, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_residue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_archives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survives_oom, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
