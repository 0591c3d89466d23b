/* SPDX-License-Identifier: Apache-2.0 */
/* test_image_decode.c - pixels of fixtures/images, whole and broken */
#include "harness/oom.h"
#include "harness/tmp.h"
#include "image/codecs/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

static tn_image_opts opts_of(tn_image_form form, uint32_t flags)
{
    tn_image_opts o = TN_IMAGE_OPTS_INIT;
    o.form = form;
    o.flags = flags;
    return o;
}

static void path_of(char path[512], const char *name)
{
    (void)snprintf(path, 512, "%s/images/%s", TEST_FIXTURES, name);
}

/* What the test is about may be left out of this build. */
static int can_decode(const char *name)
{
    char path[512];
    tn_image_info info = TN_IMAGE_INFO_INIT;
    path_of(path, name);
    if (tn_image_info_read(&info, path, 0, NULL, &err) != TN_OK) return 1;
    return tni_codec_find(info.format)->decode != NULL;
}

static tn_status read_image(tn_image **image, const char *name,
                            tn_image_form form, uint32_t flags)
{
    char path[512];
    path_of(path, name);
    const tn_image_opts o = opts_of(form, flags);
    return tn_image_read(image, path, &o, &err);
}

static tn_image_view view_of(const tn_image *image)
{
    tn_image_view v = TN_IMAGE_VIEW_INIT;
    tn_image_get_view(image, &v);
    return v;
}

/* --- the pattern of make_images.py ------------------------------------------ */

static int rgb(int x, int y, int c)
{
    return c == 0 ? 40 * x + 10 : c == 1 ? 70 * y + 20 : 100 + 20 * x - 30 * y;
}

static const int palette[4][3] = {
    {255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 8, 7}};

static int of_rgb(int x, int y, int c)
{
    return c == 3 ? 255 : rgb(x, y, c);
}
static int of_rgba(int x, int y, int c)
{
    return c == 3 ? 255 - 50 * x : rgb(x, y, c);
}
static int of_gray(int x, int y, int c)
{
    (void)c;
    return 30 * x + 50 * y;
}
static int of_gray_alpha(int x, int y, int c)
{
    return c == 1 || c == 3 ? 255 - 50 * x : 30 * x + 50 * y;
}
static int of_gray1(int x, int y, int c)
{
    (void)c;
    return 255 * ((x + y) % 2);
}
static int of_gray4(int x, int y, int c)
{
    (void)c;
    return 17 * (x + 5 * y);
}
static int of_rgb16(int x, int y, int c)
{
    return 257 * rgb(x, y, c);
}
static int of_gray16(int x, int y, int c)
{
    (void)c;
    return 1000 * x + 20000 * y + 3;
}
static int of_palette(int x, int y, int c)
{
    return c == 3 ? 255 : palette[(x + y) % 4][c];
}
static int of_palette_alpha(int x, int y, int c)
{
    static const int alpha[4] = {0x10, 0x80, 255, 255};
    return c == 3 ? alpha[(x + y) % 4] : palette[(x + y) % 4][c];
}
static int of_two_colors(int x, int y, int c)
{
    return palette[(x + y) % 2][c];
}
static int of_key(int x, int y, int c)
{
    return c == 3 ? (x == 2 && y == 1 ? 0 : 255) : rgb(x, y, c);
}
static int of_index(int x, int y, int c)
{
    (void)c;
    return (x + y) % 4;
}
static int of_raw4(int x, int y, int c)
{
    (void)c;
    return x + 5 * y;
}
static int of_bits16(int x, int y, int c)
{
    const int v[3] = {x * 255, y * 255, 255};
    return c == 2 ? 255 : (v[c] + (c == 0 ? 15 : 31)) / (c == 0 ? 31 : 63);
}
static int of_rle4(int x, int y, int c)
{
    return palette[(x % 2 + y) % 4][c];
}
/* Luma of the pattern, in integers as documented. */
static int of_luma(int x, int y, int c)
{
    (void)c;
    return (rgb(x, y, 0) * 19595 + rgb(x, y, 1) * 38470 + rgb(x, y, 2) * 7471 +
            32768) >>
           16;
}

static int sample(const tn_image_view *v, int x, int y, int c)
{
    const uint8_t *row = (const uint8_t *)v->pixels + (size_t)y * v->stride;
    const size_t i = (size_t)(x * v->channels + c);
    uint16_t wide = 0;
    if (v->bits == 8) return row[i];
    memcpy(&wide, row + 2 * i, 2);
    return wide;
}

static void check(const char *name, const tn_image *image, int w, int h,
                  int channels, int bits, int (*of)(int, int, int))
{
    const tn_image_view v = view_of(image);
    if (v.width != w || v.height != h || v.channels != channels ||
        v.bits != bits)
        fail_msg("%s: %lld x %lld, %d x %d bits", name, (long long)v.width,
                 (long long)v.height, (int)v.channels, (int)v.bits);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < channels; c++)
                if (sample(&v, x, y, c) != of(x, y, c))
                    fail_msg("%s: sample %d at %d, %d is %d, expected %d", name,
                             c, x, y, sample(&v, x, y, c), of(x, y, c));
}

typedef struct row {
    const char *name;
    tn_image_form form;
    int channels, bits;
    int (*of)(int x, int y, int c);
} row;

static void exact_pixels(void **state)
{
    (void)state;
    static const row rows[] = {
        {"rgb8.png", TN_IMAGE_AS_STORED, 3, 8, of_rgb},
        {"rgb8.png", TN_IMAGE_RGBA8, 4, 8, of_rgb},
        {"rgb8.png", TN_IMAGE_GRAY8, 1, 8, of_luma},
        {"rgba8.png", TN_IMAGE_AS_STORED, 4, 8, of_rgba},
        {"rgba8.png", TN_IMAGE_RGB8, 3, 8, of_rgb},
        {"gray8.png", TN_IMAGE_AS_STORED, 1, 8, of_gray},
        {"gray8.png", TN_IMAGE_RGB8, 3, 8, of_gray},
        {"gray1.png", TN_IMAGE_AS_STORED, 1, 8, of_gray1},
        {"gray4.png", TN_IMAGE_AS_STORED, 1, 8, of_gray4},
        {"gray4.png", TN_IMAGE_INDICES, 1, 8, of_raw4},
        {"ga8.png", TN_IMAGE_AS_STORED, 2, 8, of_gray_alpha},
        {"ga8.png", TN_IMAGE_GRAY8, 1, 8, of_gray},
        {"rgb16.png", TN_IMAGE_AS_STORED, 3, 16, of_rgb16},
        {"rgb16.png", TN_IMAGE_RGB8, 3, 8, of_rgb},
        {"gray16.png", TN_IMAGE_AS_STORED, 1, 16, of_gray16},
        {"gray16.png", TN_IMAGE_INDICES, 1, 16, of_gray16},
        {"pal2.png", TN_IMAGE_AS_STORED, 3, 8, of_palette},
        {"pal2.png", TN_IMAGE_INDICES, 1, 8, of_index},
        {"pal2_adam7.png", TN_IMAGE_INDICES, 1, 8, of_index},
        {"pal8_alpha.png", TN_IMAGE_AS_STORED, 4, 8, of_palette_alpha},
        {"pal8_alpha.png", TN_IMAGE_RGB8, 3, 8, of_palette},
        {"adam7.png", TN_IMAGE_RGB8, 3, 8, of_rgb},
        {"key.png", TN_IMAGE_AS_STORED, 4, 8, of_key},
        {"animated.png", TN_IMAGE_RGB8, 3, 8, of_rgb},
        {"lossless_alpha.webp", TN_IMAGE_AS_STORED, 4, 8, of_rgba},
        {"lossless.webp", TN_IMAGE_AS_STORED, 3, 8, of_rgb},
        {"exif3.webp", TN_IMAGE_RGB8, 3, 8, of_rgb},
        {"rgb24.bmp", TN_IMAGE_AS_STORED, 3, 8, of_rgb},
        {"down24.bmp", TN_IMAGE_AS_STORED, 3, 8, of_rgb},
        {"core24.bmp", TN_IMAGE_AS_STORED, 3, 8, of_rgb},
        {"pal1.bmp", TN_IMAGE_AS_STORED, 3, 8, of_two_colors},
        {"pal4.bmp", TN_IMAGE_AS_STORED, 3, 8, of_palette},
        {"pal8.bmp", TN_IMAGE_INDICES, 1, 8, of_index},
        {"core8.bmp", TN_IMAGE_RGB8, 3, 8, of_palette},
        {"bits16.bmp", TN_IMAGE_RGB8, 3, 8, of_bits16},
        {"bits32.bmp", TN_IMAGE_RGB8, 3, 8, of_rgb},
        {"rle8.bmp", TN_IMAGE_INDICES, 1, 8, of_index},
        {"rle4.bmp", TN_IMAGE_RGB8, 3, 8, of_rle4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const row *r = &rows[i];
        tn_image *image = NULL;
        if (!can_decode(r->name)) continue;
        if (read_image(&image, r->name, r->form, 0) != TN_OK)
            fail_msg("%s: %s", r->name, err.message);
        check(r->name, image, 5, 3, r->channels, r->bits, r->of);
        assert_int_equal(tn_image_finding_count(image), 0);
        tn_image_free(image);
    }
}

static void upright(void **state)
{
    (void)state;
    for (int o = 1; o <= 8; o++) {
        char name[32];
        tn_image *image = NULL;
        (void)snprintf(name, sizeof name, "turn%d.png", o);
        if (!can_decode(name)) return;
        assert_int_equal(
            read_image(&image, name, TN_IMAGE_RGB8, TN_IMAGE_UPRIGHT), TN_OK);
        assert_int_equal(tn_image_get_info(image)->orientation, o);
        check(name, image, 5, 3, 3, 8, of_rgb);
        tn_image_free(image);
        /* Without the flag the pixels are as stored. */
        assert_int_equal(read_image(&image, name, TN_IMAGE_RGB8, 0), TN_OK);
        assert_int_equal(view_of(image).width, o >= 5 ? 3 : 5);
        tn_image_free(image);
    }
}

static void lossy(void **state)
{
    (void)state;
    static const char *const names[] = {"rgb.jpg", "progressive.jpg",
                                        "cmyk.jpg", "lossy.webp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        tn_image *image = NULL;
        if (!can_decode(names[i])) continue;
        assert_int_equal(read_image(&image, names[i], TN_IMAGE_AS_STORED, 0),
                         TN_OK);
        const tn_image_view v = view_of(image);
        assert_int_equal(v.width, 16);
        assert_int_equal(v.height, 8);
        assert_int_equal(v.channels, 3);
        double off = 0;
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 16; x++) {
                const int want[3] = {15 * x, 30 * y, 200};
                for (int c = 0; c < 3; c++)
                    off += abs(sample(&v, x, y, c) - want[c]);
            }
        if (off / (16 * 8 * 3) > 12)
            fail_msg("%s: off by %.1f on average", names[i],
                     off / (16 * 8 * 3));
        tn_image_free(image);
    }
    /* Luma comes straight from the file. */
    tn_image *gray = NULL, *same = NULL;
    if (!can_decode("gray.jpg")) return;
    assert_int_equal(read_image(&gray, "rgb.jpg", TN_IMAGE_GRAY8, 0), TN_OK);
    assert_int_equal(read_image(&same, "gray.jpg", TN_IMAGE_GRAY8, 0), TN_OK);
    const tn_image_view a = view_of(gray), b = view_of(same);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 16; x++)
            assert_in_range(sample(&a, x, y, 0) + 4 - sample(&b, x, y, 0), 0,
                            8);
    tn_image_free(gray);
    tn_image_free(same);
}

typedef struct bad {
    const char *name;
    tn_status status;
    const char *message;
} bad;

static void broken(void **state)
{
    (void)state;
    static const bad rows[] = {
        {"cut.png", TN_EFORMAT, "ends before its IEND"},
        {"no_end.png", TN_EFORMAT, "ends before its IEND"},
        {"crc_idat.png", TN_EFORMAT, "checksum of chunk IDAT"},
        {"bad_index.png", TN_EFORMAT, "index 3, but the palette has 3"},
        {"no_palette.png", TN_EFORMAT, "no PLTE"},
        {"bomb.png", TN_ELIMIT, "more than the limit of 268435456"},
        {"wide_bomb.png", TN_ELIMIT, "60000 x 60000"},
        {"iphone.png", TN_EUNSUPPORTED, "iPhone"},
        {"cut.jpg", TN_EFORMAT, "libjpeg-turbo: Premature end"},
        {"no_eoi.jpg", TN_EFORMAT, "libjpeg-turbo: Premature end"},
        {"twelve_bit.jpg", TN_EUNSUPPORTED, "samples of 12 bits"},
        {"dnl.jpg", TN_EUNSUPPORTED, "DNL"},
        {"huge.jpg", TN_ELIMIT, "65535 x 65535"},
        {"animated.webp", TN_EUNSUPPORTED, "animation"},
        {"cut.webp", TN_EFORMAT, "cut short"},
        {"still.gif", TN_EUNSUPPORTED, "only the header of gif"},
        {"le.tif", TN_EUNSUPPORTED, "only the header of tiff"},
        {"cut.bmp", TN_EFORMAT, "ends inside the pixels, at row 1 of 3"},
        {"rle8_over.bmp", TN_EFORMAT, "a run of 9 pixels leaves"},
        {"huge.bmp", TN_ELIMIT, "2147483647 x 2147483648"},
        {"masks_overlap.bmp", TN_EFORMAT, "overlaps"},
        {"empty.png", TN_EFORMAT, "empty"},
        {"text.jpg", TN_EUNSUPPORTED, "a web page"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tn_image *image = NULL;
        if (!can_decode(rows[i].name) &&
            strstr(rows[i].message, "only") == NULL)
            continue;
        const tn_status status =
            read_image(&image, rows[i].name, TN_IMAGE_RGB8, 0);
        if (status != rows[i].status ||
            strstr(err.message, rows[i].message) == NULL)
            fail_msg("%s: %s '%s', expected %s '%s'", rows[i].name,
                     tn_status_name(status), err.message,
                     tn_status_name(rows[i].status), rows[i].message);
        assert_null(image);
        assert_non_null(strstr(err.where, rows[i].name));
    }
}

static void findings(void **state)
{
    (void)state;
    static const bad rows[] = {
        {"no_eoi.jpg", TN_EFORMAT, "Premature end"},
        {"cut.jpg", TN_EFORMAT, "Premature end"},
        {"no_end.png", TN_EFORMAT, "cut short"},
        {"bad_index.png", TN_EFORMAT, "index 3"},
        {"cut.bmp", TN_EFORMAT, "ends inside"},
        {"rle8_over.bmp", TN_EFORMAT, "leaves the image"},
        {"crc_text.png", TN_OK, "checksum of chunk tEXt"},
        {"trailing.png", TN_OK, "4 bytes follow"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tn_image *image = NULL;
        const int damage = rows[i].status != TN_OK;
        if (!can_decode(rows[i].name)) continue;
        if (read_image(&image, rows[i].name, TN_IMAGE_RGB8,
                       damage ? TN_IMAGE_KEEP_DAMAGED : 0) != TN_OK)
            fail_msg("%s: %s", rows[i].name, err.message);
        assert_true(tn_image_finding_count(image) >= 1);
        const tn_image_finding *f = tn_image_get_finding(image, 0);
        assert_int_equal(f->damage, damage);
        assert_non_null(strstr(f->text, rows[i].message));
        assert_null(tn_image_get_finding(image, 16));
        tn_image_free(image);
    }
}

static void limits(void **state)
{
    (void)state;
    tn_limits l = TN_LIMITS_INIT;
    tn_image_opts o = TN_IMAGE_OPTS_INIT;
    tn_image *image = NULL;
    char path[512];
    path_of(path, "rgb24.bmp");
    o.limits = &l;
    l.max_image_pixels = 14;
    assert_int_equal(tn_image_read(&image, path, &o, &err), TN_ELIMIT);
    l.max_image_pixels = 15;
    assert_int_equal(tn_image_read(&image, path, &o, &err), TN_OK);
    tn_image_free(image);
    l.max_total_bytes = 20;
    assert_int_equal(tn_image_read(&image, path, &o, &err), TN_ENOMEM);
    o.form = TN_IMAGE_INDICES;
    l.max_total_bytes = 0;
    assert_int_equal(tn_image_read(&image, path, &o, &err), TN_EUNSUPPORTED);
    o.form = (tn_image_form)17;
    assert_int_equal(tn_image_read(&image, path, &o, &err), TN_EINVAL);
}

static tn_status one_decode(void *ctx, const tn_allocator *allocator)
{
    tn_image *image = NULL;
    tn_image_opts o = opts_of(TN_IMAGE_AS_STORED, TN_IMAGE_UPRIGHT);
    o.allocator = allocator;
    const tn_status status = tn_image_read(&image, ctx, &o, &err);
    tn_image_free(image);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    static const char *const names[] = {"turn7.png", "pal2.png", "rgb.jpg",
                                        "lossless.webp", "rle8.bmp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        path_of(path, names[i]);
        if (can_decode(names[i])) oom_sweep(one_decode, path);
    }
}

/* Every prefix and every bit flip of every small file: any answer, no crash. */
static void mutations(void **state)
{
    (void)state;
    static const char *const names[] = {
        "rgb8.png",  "pal2_adam7.png", "rgb.jpg",   "lossless_alpha.webp",
        "rgb24.bmp", "rle4.bmp",       "pages.tif", "still.gif"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        uint8_t bytes[4096], *exact = NULL;
        path_of(path, names[i]);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        const size_t size = fread(bytes, 1, sizeof bytes, f);
        (void)fclose(f);
        tn_limits l = TN_LIMITS_INIT;
        l.max_image_pixels = 4096;
        tn_image_opts o = opts_of(TN_IMAGE_RGB8, TN_IMAGE_KEEP_DAMAGED);
        o.limits = &l;
        for (size_t n = 0; n < size; n++) {
            exact = malloc(n + 1);
            tn_image *image = NULL;
            memcpy(exact, bytes, n);
            if (tn_image_decode(&image, exact, n, &o, &err) == TN_OK)
                tn_image_free(image);
            free(exact);
            bytes[n] ^= (uint8_t)(1u << n % 8);
            if (tn_image_decode(&image, bytes, size, &o, &err) == TN_OK)
                tn_image_free(image);
            bytes[n] ^= (uint8_t)(1u << n % 8);
        }
    }
}

/* --- writing ----------------------------------------------------------------- */

typedef struct bytes {
    uint8_t data[65536];
    size_t size, refuse_at;
} bytes;

static tn_status take(void *ctx, const void *data, size_t size, tn_err *e)
{
    bytes *b = ctx;
    (void)e;
    if (b->refuse_at != 0 && b->size + size > b->refuse_at) return TN_EIO;
    if (sizeof b->data - b->size < size) return TN_ELIMIT;
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return TN_OK;
}

static void round_trip(const tn_image_view *v, tn_image_form form)
{
    static bytes out, again;
    const tn_image_sink sink = {&out, take}, second = {&again, take};
    tn_image *image = NULL;
    out.size = again.size = out.refuse_at = 0;
    assert_int_equal(tn_image_encode(&sink, "png", v, &err), TN_OK);
    assert_int_equal(tn_image_encode(&second, "png", v, &err), TN_OK);
    assert_int_equal(out.size, again.size);
    assert_memory_equal(out.data, again.data, out.size);
    const tn_image_opts o = opts_of(form, 0);
    assert_int_equal(tn_image_decode(&image, out.data, out.size, &o, &err),
                     TN_OK);
    const tn_image_view w = view_of(image);
    assert_int_equal(w.width, v->width);
    assert_int_equal(w.channels, v->channels);
    assert_int_equal(w.bits, v->bits);
    assert_int_equal(w.n_colors, v->n_colors);
    const size_t line = (size_t)(v->width * v->channels * v->bits / 8);
    for (int64_t y = 0; y < v->height; y++)
        assert_memory_equal((const uint8_t *)w.pixels + (size_t)y * w.stride,
                            (const uint8_t *)v->pixels + (size_t)y * v->stride,
                            line);
    if (v->palette != NULL)
        assert_memory_equal(w.palette, v->palette, 4 * (size_t)v->n_colors);
    tn_image_free(image);
    out.size = 0;
    out.refuse_at = 20;
    assert_int_equal(tn_image_encode(&sink, "png", v, &err), TN_EIO);
}

static void written_png(void **state)
{
    (void)state;
    if (tni_codec_find("png")->encode == NULL) skip();
    static uint8_t pixels[9 * 80], colors[256 * 4];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof pixels; i++) {
        seed = seed * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(seed >> 24);
    }
    for (size_t i = 0; i < sizeof colors; i++) colors[i] = (uint8_t)(i * 7);
    for (int channels = 1; channels <= 4; channels++)
        for (int bits = 8; bits <= 16; bits += 8) {
            tn_image_view v = TN_IMAGE_VIEW_INIT;
            v.width = 10;
            v.height = 9;
            v.channels = channels;
            v.bits = bits;
            v.stride = 80;
            v.pixels = pixels;
            round_trip(&v, TN_IMAGE_AS_STORED);
        }
    for (int n = 1; n <= 256; n = n == 256 ? 257 : n * 4) {
        tn_image_view v = TN_IMAGE_VIEW_INIT;
        static uint8_t indices[9 * 80];
        for (size_t i = 0; i < sizeof indices; i++)
            indices[i] = (uint8_t)(pixels[i] % n);
        v.width = 80;
        v.height = 9;
        v.channels = 1;
        v.bits = 8;
        v.stride = 80;
        v.pixels = indices;
        v.palette = colors;
        v.n_colors = n;
        round_trip(&v, TN_IMAGE_INDICES);
    }
}

static void refused_views(void **state)
{
    (void)state;
    static bytes out;
    static const uint8_t pixels[4] = {0, 1, 2, 3}, colors[8] = {0};
    const tn_image_sink sink = {&out, take};
    tn_image_view v = TN_IMAGE_VIEW_INIT;
    assert_int_equal(tn_image_encode(&sink, "png", &v, &err),
                     tni_codec_find("png")->encode != NULL ? TN_EINVAL
                                                           : TN_EUNSUPPORTED);
    assert_int_equal(tn_image_encode(&sink, "gif", &v, &err), TN_EUNSUPPORTED);
    assert_int_equal(tn_image_encode(&sink, "x", &v, &err), TN_EUNSUPPORTED);
    assert_int_equal(tn_image_encode(NULL, "png", &v, &err), TN_EINVAL);
    if (tni_codec_find("png")->encode == NULL) return;
    v.width = v.height = 2;
    v.channels = 1;
    v.bits = 8;
    v.stride = 1;
    v.pixels = pixels;
    assert_int_equal(tn_image_encode(&sink, "png", &v, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "stride"));
    v.stride = 2;
    v.palette = colors;
    v.n_colors = 2;
    assert_int_equal(tn_image_encode(&sink, "png", &v, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "index 2, but the palette has 2"));
    char dir[TMP_PATH], path[TMP_PATH];
    tmp_new(dir);
    tmp_path(path, dir, "a.png");
    assert_int_equal(tn_image_write(path, "png", &v, &err), TN_EINVAL);
    tn_image_info info = TN_IMAGE_INFO_INIT;
    assert_int_equal(tn_image_info_read(&info, path, 0, NULL, &err),
                     TN_ENOTFOUND);
    v.palette = NULL;
    v.n_colors = 0;
    assert_int_equal(tn_image_write(path, "png", &v, &err), TN_OK);
    assert_int_equal(tn_image_info_read(&info, path, 0, NULL, &err), TN_OK);
    assert_int_equal(info.width, 2);
    tmp_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_pixels),    cmocka_unit_test(upright),
        cmocka_unit_test(lossy),           cmocka_unit_test(broken),
        cmocka_unit_test(findings),        cmocka_unit_test(limits),
        cmocka_unit_test(memory_runs_out), cmocka_unit_test(mutations),
        cmocka_unit_test(written_png),     cmocka_unit_test(refused_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
