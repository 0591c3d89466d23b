/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_webdataset.c - WebDataset: samples in tar archives
 *
 * Members side by side whose names agree up to the first dot of the base name
 * are one sample. Of a sample are read: its image, .json, .cls (the number of
 * its class, or the name) and .txt (a caption); other members are counted. A
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

/* By its first members: two of one sample are a mark, one alone may be of any
 * archive of images. */
static int score_head(tni_span head, tni_arena *scratch)
{
    tni_tar t;
    char first[TNI_TAR_MAX_NAME + 1] = "";
    size_t first_key = 0;
    int best = 0;
    tni_tar_init(&t, head.p, head.len, scratch, NULL);
    for (int i = 0; i < 8; i++) {
        tni_tar_entry e;
        size_t key = 0;
        bool more = false;
        if (tni_tar_next(&t, &e, &more) != TN_OK || !more) break;
        if (e.kind != TNI_TAR_FILE || !tni_wds_key(e.name, &key) ||
            !is_sample_member(e.name))
            continue;
        if (first_key == key && memcmp(first, e.name, key) == 0) return 80;
        (void)snprintf(first, sizeof first, "%s", e.name);
        first_key = key;
        best = 60;
    }
    /* The first member may be larger than what is looked at. */
    if (best == 0 && head.len > 512 && memcmp(head.p + 257, "ustar", 5) == 0 &&
        is_sample_member(head.p))
        best = 60;
    return best;
}

static int probe(const tni_probe *p)
{
    int best = 0;
    if (!p->is_dir) {
        const bool packed = tni_wds_stem(p->path) > 0 && p->head.len > 18 &&
                            memcmp(p->head.p, "\x1f\x8b", 2) == 0;
        return packed ? 60 : score_head(p->head, &p->r->scratch);
    }
    for (int level = 0; level < 2 && best == 0; level++)
        for (size_t i = 0; i < p->n_entries && best < 80; i++) {
            const tni_dir_entry *e = &p->entries[i];
            const tni_dir_entry *in = e;
            size_t n = 1;
            const char *folder = p->path;
            if (e->is_dir != (level == 1)) continue;
            if (level == 1) {
                folder = tni_join(p->r, p->path, e->name);
                if (tni_list(p->r, folder, &in, &n, NULL) != TN_OK) continue;
            }
            for (size_t k = 0; k < n && best < 80; k++) {
                if (in[k].is_dir || tni_wds_stem(in[k].name) == 0) continue;
                const tni_span head =
                    tni_probe_head(p, tni_join(p->r, folder, in[k].name));
                const int score = score_head(head, &p->r->scratch);
                if (score > best) best = score;
            }
        }
    return best;
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
             TNI_KEEPS(CLASSLESS),
    .probe = probe,
    .read = tni_wds_read,
    .write = tni_wds_write,
};
