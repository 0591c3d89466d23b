/* SPDX-License-Identifier: Apache-2.0 */
/* pb.c - writing protobuf, and ONNX models out of it, for tests */
#include "harness/pb.h"

#include <stdlib.h>
#include <string.h>

void pb_free(pb *m)
{
    free(m->bytes);
    memset(m, 0, sizeof *m);
}

void pb_raw(pb *m, const void *bytes, size_t size)
{
    if (size == 0) return;
    if (m->cap - m->size < size) {
        size_t cap = m->cap == 0 ? 256 : m->cap * 2;
        while (cap - m->size < size) cap *= 2;
        m->bytes = realloc(m->bytes, cap);
        if (m->bytes == NULL) abort();
        m->cap = cap;
    }
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void varint(pb *m, uint64_t v)
{
    uint8_t buf[10];
    size_t n = 0;
    do {
        buf[n] = (uint8_t)(v & 0x7f);
        v >>= 7;
        if (v != 0) buf[n] |= 0x80;
        n++;
    } while (v != 0);
    pb_raw(m, buf, n);
}

void pb_int(pb *m, uint32_t field, int64_t v)
{
    varint(m, (uint64_t)field << 3);
    varint(m, (uint64_t)v);
}

void pb_float(pb *m, uint32_t field, float v)
{
    uint32_t bits;
    uint8_t le[4];
    memcpy(&bits, &v, sizeof bits);
    for (int i = 0; i < 4; i++) le[i] = (uint8_t)(bits >> (8 * i));
    varint(m, (uint64_t)field << 3 | 5);
    pb_raw(m, le, sizeof le);
}

void pb_bytes(pb *m, uint32_t field, const void *bytes, size_t size)
{
    varint(m, (uint64_t)field << 3 | 2);
    varint(m, size);
    pb_raw(m, bytes, size);
}

void pb_text(pb *m, uint32_t field, const char *text)
{
    pb_bytes(m, field, text, strlen(text));
}

void pb_message(pb *m, uint32_t field, pb *sub)
{
    pb_bytes(m, field, sub->bytes, sub->size);
    pb_free(sub);
}

void pb_value(pb *graph, uint32_t field, const char *name, int dtype, int rank,
              const int64_t *dims)
{
    pb value = {0}, type = {0}, tensor = {0}, shape = {0};
    pb_text(&value, 1, name);
    pb_int(&tensor, 1, dtype);
    for (int i = 0; i < rank; i++) {
        pb dim = {0};
        pb_int(&dim, 1, dims[i]);
        pb_message(&shape, 1, &dim);
    }
    if (rank >= 0) pb_message(&tensor, 2, &shape);
    pb_message(&type, 1, &tensor);
    pb_message(&value, 2, &type);
    pb_message(graph, field, &value);
}

static void names(pb *node, uint32_t field, const char *list)
{
    while (*list != '\0') {
        const size_t n = strcspn(list, ",");
        pb_bytes(node, field, list, n);
        list += n;
        if (*list == ',') list++;
    }
}

void pb_node(pb *graph, uint32_t field, const char *domain, const char *op,
             const char *name, const char *in, const char *out, pb *attrs)
{
    pb node = {0};
    names(&node, 1, in);
    names(&node, 2, out);
    if (name[0] != '\0') pb_text(&node, 3, name);
    pb_text(&node, 4, op);
    if (attrs != NULL) {
        pb_raw(&node, attrs->bytes, attrs->size);
        pb_free(attrs);
    }
    if (domain[0] != '\0') pb_text(&node, 7, domain);
    pb_message(graph, field, &node);
}

void pb_attr_int(pb *attrs, const char *name, int64_t v)
{
    pb a = {0};
    pb_text(&a, 1, name);
    pb_int(&a, 3, v);
    pb_int(&a, 20, 2);
    pb_message(attrs, 5, &a);
}

void pb_attr_float(pb *attrs, const char *name, float v)
{
    pb a = {0};
    pb_text(&a, 1, name);
    pb_float(&a, 2, v);
    pb_int(&a, 20, 1);
    pb_message(attrs, 5, &a);
}

void pb_attr_text(pb *attrs, const char *name, const char *text)
{
    pb a = {0};
    pb_text(&a, 1, name);
    pb_text(&a, 4, text);
    pb_int(&a, 20, 3);
    pb_message(attrs, 5, &a);
}

void pb_attr_message(pb *attrs, const char *name, int type, pb *sub)
{
    pb a = {0};
    pb_text(&a, 1, name);
    pb_message(&a, type == 11 ? 22 : (uint32_t)type + 1, sub);
    pb_int(&a, 20, type);
    pb_message(attrs, 5, &a);
}

void pb_attr_ref(pb *attrs, const char *name, int type, const char *ref)
{
    pb a = {0};
    pb_text(&a, 1, name);
    pb_int(&a, 20, type);
    pb_text(&a, 21, ref);
    pb_message(attrs, 5, &a);
}

void pb_tensor(pb *tensor, const char *name, int dtype, int rank,
               const int64_t *dims, const void *raw, size_t size)
{
    for (int i = 0; i < rank; i++) pb_int(tensor, 1, dims[i]);
    pb_int(tensor, 2, dtype);
    pb_text(tensor, 8, name);
    if (raw != NULL) pb_bytes(tensor, 9, raw, size);
}

void pb_model(pb *model, pb *graph, int64_t opset)
{
    pb import = {0};
    pb_int(model, 1, 8);
    pb_text(model, 2, "test");
    pb_int(&import, 2, opset);
    pb_message(model, 8, &import);
    pb_message(model, 7, graph);
}
