/* SPDX-License-Identifier: Apache-2.0 */
/* data_registry.c - the data column's tables as names and JSON */
#include "tenon/registry.h"

#include "data/formats/format.h"
#include "image/codecs/codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text that is cut to a size while its full length is counted. */
typedef struct text {
    char *buf;
    size_t size, len;
} text;

TN_PRINTF(2, 3)
static void put(text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *at = t->len < t->size ? t->buf + t->len : NULL;
    const int n = vsnprintf(at, at != NULL ? t->size - t->len : 0, fmt, args);
    va_end(args);
    if (n > 0) t->len += (size_t)n;
}

static void describe_codec(text *t, const tni_codec *c)
{
    put(t,
        "{\"name\": \"%s\", \"summary\": \"%s\", \"files\": \"%s\", "
        "\"decodes\": %s, \"encodes\": %s, \"library\": \"%s\", "
        "\"source\": \"%s\"}",
        c->name, c->title, c->files, c->decode != NULL ? "true" : "false",
        c->encode != NULL ? "true" : "false",
        c->library != NULL ? c->library : "", c->source);
}

/* The codes of what a format keeps, or of what it does not. */
static void put_codes(text *t, const char *key, uint64_t mask)
{
    const char *sep = "";
    put(t, ", \"%s\": [", key);
    for (int i = 0; i < TNI_F_COUNT; i++) {
        if ((mask >> i & 1) == 0) continue;
        put(t, "%s\"%s\"", sep, tni_features[i].code);
        sep = ", ";
    }
    put(t, "]");
}

static void describe_format(text *t, const tni_format *f)
{
    put(t,
        "{\"name\": \"%s\", \"summary\": \"%s\", \"files\": \"%s\", "
        "\"source\": \"%s\", \"writes\": %s, \"variants\": [",
        f->name, f->title, f->files, f->source,
        f->write != NULL ? "true" : "false");
    const char *sep = "";
    for (const char *p = f->variants; p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, " ");
        put(t, "%s\"%.*s\"", sep, (int)n, p);
        sep = ", ";
        p += n + (p[n] == ' ' ? 1 : 0);
    }
    put(t, "]");
    uint64_t keeps = f->keeps;
    if ((f->flags & TNI_FORMAT_SEEN_CLASSES) == 0)
        keeps |= TNI_KEEPS(UNUSED) | TNI_KEEPS(CLASS_ORDER);
    if ((f->flags & TNI_FORMAT_INSIDE) == 0)
        keeps |= TNI_KEEPS(OUTSIDE) | TNI_KEEPS(OUTSIDE_BOX);
    if ((f->flags & TNI_FORMAT_PICTURES) == 0) keeps |= TNI_KEEPS(MASK_OVERLAP);
    put_codes(t, "keeps", keeps);
    put_codes(t, "loses", ~keeps);
    put(t, "}");
}

size_t tn_data_registry_count(tn_registry_kind kind)
{
    int n = 0;
    if (kind == TN_REGISTRY_CODECS) (void)tni_codecs(&n);
    if (kind == TN_REGISTRY_FORMATS) (void)tni_formats(&n);
    return (size_t)n;
}

const char *tn_data_registry_name(tn_registry_kind kind, size_t i)
{
    if (i >= tn_data_registry_count(kind)) return NULL;
    int n = 0;
    if (kind == TN_REGISTRY_FORMATS) return tni_formats(&n)[i]->name;
    return tni_codecs(&n)[i]->name;
}

size_t tn_data_registry_describe(tn_registry_kind kind, size_t i, char *buf,
                                 size_t size)
{
    text t = {buf, size, 0};
    if (size != 0) buf[0] = '\0';
    if (i >= tn_data_registry_count(kind)) return 0;
    int n = 0;
    if (kind == TN_REGISTRY_FORMATS)
        describe_format(&t, tni_formats(&n)[i]);
    else
        describe_codec(&t, tni_codecs(&n)[i]);
    return t.len;
}
