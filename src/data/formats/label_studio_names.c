/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_names.c - types of results, and where tasks have their images */
#include "data/formats/label_studio.h"

#include "base/utf8.h"

/* --- types -------------------------------------------------------------------- */

static const tni_ls_type types[] = {
    {"rectanglelabels", TNI_LS_RECT, "label_rectangles"},
    {"rectangle", TNI_LS_RECT, "rectangles"},
    {"polygonlabels", TNI_LS_POLYGON, "label_polygons"},
    {"polygon", TNI_LS_POLYGON, "polygons"},
    {"keypointlabels", TNI_LS_POINT, "label_keypoints"},
    {"keypoint", TNI_LS_POINT, "keypoints"},
    {"ellipselabels", TNI_LS_ELLIPSE, "label_ellipses"},
    {"ellipse", TNI_LS_ELLIPSE, "ellipses"},
    {"brushlabels", TNI_LS_BRUSH, "label_brush"},
    {"brush", TNI_LS_BRUSH, "brush"},
    {"labels", TNI_LS_LABELS, "labels"},
    {"choices", TNI_LS_CHOICES, "class"},
    {"taxonomy", TNI_LS_TAXONOMY, "taxonomy"},
    {"textarea", TNI_LS_TEXT, "caption"},
    {"number", TNI_LS_NUMBER, "number"},
    {"rating", TNI_LS_RATING, "rating"},
    {"datetime", TNI_LS_DATETIME, "datetime"},
};

const tni_ls_type *tni_ls_type_of(tni_span name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (tni_span_is(name, types[i].type)) return &types[i];
    return NULL;
}

const char *tni_ls_type_name(tni_ls_kind kind, bool classes)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const bool has = strstr(types[i].type, "labels") != NULL;
        if (types[i].kind == kind &&
            (has == classes || !tni_ls_is_region(kind)))
            return types[i].type;
    }
    return "";
}

/* --- paths -------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f') return (c | 32) - 'a' + 10;
    return -1;
}

/* %41 to A; the text as it is when that gives no name. */
static char *unquoted(tni_arena *arena, const char *text, size_t len)
{
    char *out = tni_arena_alloc(arena, len + 1, 1);
    size_t n = 0;
    if (out == NULL) return NULL;
    for (size_t i = 0; i < len; i++) {
        const int a = i + 2 < len && text[i] == '%' ? hex(text[i + 1]) : -1;
        const int b = a >= 0 ? hex(text[i + 2]) : -1;
        if (b >= 0) i += 2;
        out[n++] = (char)(b >= 0 ? a * 16 + b : text[i]);
    }
    out[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)out[i] < ' ')
            return tni_arena_strndup(arena, text, len);
    return tni_utf8_valid(out, n) == n ? out
                                       : tni_arena_strndup(arena, text, len);
}

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Where the path behind "scheme://host/" begins; NULL: it is no URL. */
static const char *behind_host(const char *url, const char **host)
{
    const char *p = url;
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
           (*p >= '0' && *p <= '9') || *p == '-' || *p == '+')
        p++;
    if (p == url || !starts(p, "://")) return NULL;
    *host = p + 3;
    p = strchr(p + 3, '/');
    return p != NULL ? p + 1 : NULL;
}

/* What local storage serves: the path behind "d=". */
static const char *local_file(const char *path)
{
    const char *d = strstr(path, "data/local-files/");
    if (d == NULL || (d != path && d[-1] != '/')) return NULL;
    d = strchr(d, '?');
    while (d != NULL && !starts(d + 1, "d=")) d = strchr(d + 1, '&');
    return d != NULL ? d + 3 : NULL;
}

const char *tni_ls_name(tni_arena *arena, const char *url, bool folder,
                        bool host)
{
    const char *at_host = NULL, *path = behind_host(url, &at_host);
    const char *local = local_file(path != NULL ? path : url);
    if (starts(url, "data:")) return "";
    if (local != NULL) {
        char *name = unquoted(arena, local, strcspn(local, "&"));
        if (name == NULL) return NULL;
        while (*name == '/') name++;
        if (folder && starts(name, "images/") && name[7] != '\0') name += 7;
        return name;
    }
    if (path == NULL && url[0] != '/')
        return tni_arena_strndup(arena, url, strlen(url));
    if (path == NULL) path = url;
    if (host && at_host != NULL) path = at_host;
    while (*path == '/') path++;
    if (starts(path, "data/upload/")) path += 5;
    return unquoted(arena, path, strcspn(path, "?#"));
}

void tni_ls_put_url(tni_out *o, const char *name, bool folder)
{
    tni_out_str(o, "/data/local-files/?d=");
    if (folder) tni_out_str(o, "images/");
    for (const char *p = name; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        static const char digits[] = "0123456789ABCDEF";
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c >= '0' && c <= '9') || strchr("/-_.~()!*',", (char)c) != NULL) {
            tni_out_char(o, (char)c);
        } else {
            tni_out_char(o, '%');
            tni_out_char(o, digits[c >> 4]);
            tni_out_char(o, digits[c & 15]);
        }
    }
}

/* --- what can be held ---------------------------------------------------------- */

/* A list of texts; how many. */
static bool texts(tni_json *j, size_t *n)
{
    *n = 0;
    if (!tni_json_enter(j, '[')) return false;
    for (; tni_json_item(j); ++*n)
        if (tni_json_peek(j) != '"' || !tni_json_skip(j, NULL)) return false;
    return j->status == TN_OK;
}

/* A text, a number, several texts, or paths of a taxonomy. */
static bool plain_value(tni_json *j)
{
    size_t n = 0, all = 0;
    const char kind = tni_json_peek(j);
    if (kind == '"' || kind == '0') return tni_json_skip(j, NULL);
    if (kind != '[') return false;
    tni_json ahead = *j;
    tn_err ignored;
    ahead.err = &ignored;
    if (texts(&ahead, &n)) {
        *j = ahead;
        return n > 1;
    }
    if (!tni_json_enter(j, '[')) return false;
    for (; tni_json_item(j); all++)
        if (tni_json_peek(j) != '[' || !texts(j, &n) || n == 0) return false;
    return all > 0 && j->status == TN_OK;
}

bool tni_ls_plain_attributes(tni_span object)
{
    tni_json j;
    tni_span key;
    tni_json_init(&j, object.p, object.len, 0, NULL);
    if (!tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key))
        if (key.len == 0 || !plain_value(&j)) return false;
    return j.status == TN_OK;
}
