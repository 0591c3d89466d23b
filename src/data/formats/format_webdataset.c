/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_webdataset.c - WebDataset: samples in tar archives
 *
 * Members side by side whose names agree up to the first dot of the base name
 * are one sample. Of a sample are read: its image, .json, .cls (the number of
 * its class, or the name) and .txt (a caption); other members stay with the
 * image: texts and JSON as its fields (".note", ".meta.json"), the rest as files
 * of it, which are written again and which no other format has a place for. A
 * .json that is COCO's, of one image or a list of annotations, is read as such;
 * members of any other are fields of the image. Archives are not unpacked:
 * images stay in them and are read from there.
 *
 * Written are shards name-000000.tar of at most 100,000 samples and 3 GB of
 * images, as webdataset.ShardWriter has it: for every sample its image, a .json
 * that is a COCO file of one image, .cls where it has one class as a whole, .txt
 * where it has one caption; and dataset.json with all classes. Times, owners and
 * modes are always the same.
 *
 * Trap: a dot in a name ends the key, so that img.v1.jpg and img.v2.jpg would
 * be one sample. Such dots are written '_'; the name itself is in the .json.
 *
 * Source: github.com/webdataset/webdataset (src/webdataset/tariterators.py,
 *         writer.py)
 */
#include "data/formats/webdataset.h"

#include "data/gzip.h"

#include <stdio.h>

bool tni_wds_key(const char *name, size_t *key)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    const char *dot = strchr(base, '.');
    if (dot == NULL || dot == base || dot[1] == '\0') return false;
    *key = (size_t)(dot - name);
    if (strncmp(name, "__", 2) != 0) return true;
    const char *end = strstr(name + 2, "__");
    const char *first = strchr(name, '/');
    return end == NULL || end[2] != '/' || (first != NULL && first < end);
}

size_t tni_wds_stem(const char *name)
{
    static const char *const ends[] = {".tar", ".tar.gz", ".tgz"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (tni_ends_with(name, ends[i])) n = strlen(name) - strlen(ends[i]);
    size_t digits = n;
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
        digits--;
    /* train-000012 and train_12, also train0012, but not train2017. */
    const size_t many = n - digits;
    const bool year = many == 4 && (name[digits] == '1' || name[digits] == '2');
    if (digits == 0 || many == 0) return n;
    if (strchr("-_.", name[digits - 1]) != NULL)
        return digits > 1 ? digits - 1 : n;
    return many >= 3 && !year ? digits : n;
}

/* --- recognising ----------------------------------------------------------- */

static bool is_sample_member(const char *name)
{
    static const char *const ends[] = {".json", ".cls", ".txt"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (tni_ends_with(name, ends[i])) return true;
    return tni_is_image_name(name);
}

/* By its first members, whose headers alone are looked at: two of one sample
 * are a mark, one alone may be of any archive of images. */
static int score_bytes(const uint8_t *bytes, size_t size, tni_arena *scratch)
{
    tni_tar t;
    char first[TNI_TAR_MAX_NAME + 1] = "";
    size_t first_key = 0;
    int best = 0;
    tni_tar_init(&t, bytes, size, scratch, NULL);
    for (int i = 0; i < 8; i++) {
        tni_tar_entry e;
        size_t key = 0;
        bool more = false;
        if (tni_tar_next(&t, &e, &more) != TN_OK || !more) break;
        if (e.kind != TNI_TAR_FILE || !tni_wds_key(e.name, &key) ||
            !is_sample_member(e.name))
            continue;
        if (first_key == key && memcmp(first, e.name, key) == 0) return 85;
        (void)snprintf(first, sizeof first, "%s", e.name);
        first_key = key;
        best = 60;
    }
    return best;
}

static int score_file(tni_reader *r, const char *path)
{
    tni_file_map map;
    if (path == NULL || tni_wds_stem(path) == 0 ||
        tni_file_map_open(&map, path, 0, NULL) != TN_OK)
        return 0;
    const int score = tni_is_gzip(map.bytes, map.size)
                          ? 60
                          : score_bytes(map.bytes, map.size, &r->scratch);
    tni_file_map_close(&map);
    return score;
}

static int score_folder(const tni_probe *p, const char *folder,
                        const tni_dir_entry *e, size_t n)
{
    int best = 0;
    for (size_t i = 0; i < n && best < 85; i++) {
        if (e[i].is_dir || tni_wds_stem(e[i].name) == 0) continue;
        const int score = score_file(p->r, tni_join(p->r, folder, e[i].name));
        if (score > best) best = score;
    }
    return best;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score_file(p->r, p->path);
    int best = score_folder(p, p->path, p->entries, p->n_entries);
    for (size_t i = 0; i < p->n_entries && best == 0; i++) {
        const tni_dir_entry *e = NULL;
        size_t n = 0;
        if (!p->entries[i].is_dir) continue;
        const char *folder = tni_join(p->r, p->path, p->entries[i].name);
        if (tni_list(p->r, folder, &e, &n, NULL) == TN_OK)
            best = score_folder(p, folder, e, n);
    }
    /* What is written beside shards looks like COCO without images. */
    return best > 0 && tni_probe_has(p, TNI_WDS_REST) ? 85 : best;
}

const tni_format tni_format_webdataset = {
    .name = "webdataset",
    .title = "WebDataset",
    .files = "*.tar",
    .source = "https://github.com/webdataset/webdataset",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(POLYGON) | TNI_KEEPS(PARTS) |
             TNI_KEEPS(OUTLINE_BOX) | TNI_KEEPS(MASK) | TNI_KEEPS(DEGENERATE) |
             TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) |
             TNI_KEEPS(KEYPOINT_NAMES) | TNI_KEEPS(TAG) | TNI_KEEPS(CAPTION) |
             TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(EXTRA) | TNI_KEEPS(CROWD) |
             TNI_KEEPS(TRACK) | TNI_KEEPS(SCORE) | TNI_KEEPS(AREA) |
             TNI_KEEPS(ANN_ID) | TNI_KEEPS(IMAGE_ID) | TNI_KEEPS(CLASS_ID) |
             TNI_KEEPS(UNUSED) | TNI_KEEPS(PARENT) | TNI_KEEPS(CLASS_EXTRA) |
             TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(META) |
             TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) | TNI_KEEPS(UNKNOWN) |
             TNI_KEEPS(CLASSLESS) | TNI_KEEPS(IMAGE_FILE),
    .flags = TNI_FORMAT_ENDINGS | TNI_FORMAT_PACKED,
    .probe = probe,
    .read = tni_wds_read,
    .write = tni_wds_write,
};
