/* SPDX-License-Identifier: Apache-2.0 */
/* decode_op.c - which operator a node means, and what to say when none */
#include "onnx/decode.h"

#include <stdio.h>
#include <string.h>

/* Stands for an operator that this build does not know (lenient decoding). */
static const tni_op unknown_op = {
    "", "?", "an operator that this build does not know", NULL, 0};

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Edit distance without regard to case, for names of up to 40 letters. */
static int distance(const char *a, const char *b)
{
    enum { most = 40 };
    const size_t na = strlen(a), nb = strlen(b);
    if (na > most || nb > most) return most;
    int row[most + 1];
    for (size_t j = 0; j <= nb; j++) row[j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            const int same = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            int best = diagonal + same;
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[nb];
}

static const char *shown(const char *domain)
{
    return domain[0] != '\0' ? domain : "ai.onnx";
}

static tn_status fail_unknown(tni_decoder *d, const char *domain,
                              const char *name, int opset)
{
    int n = 0, best = 1000, in_domain = 0;
    char version[40] = ", which the model does not import,";
    if (opset != INT32_MAX)
        (void)snprintf(version, sizeof version, " version %d", opset);
    const tni_op *const *ops = tni_ops(&n);
    const tni_op *near = NULL, *elsewhere = NULL;
    for (int i = 0; i < n; i++) {
        const char *at = ops[i]->domain;
        if (strcmp(at, "ai.onnx") == 0) at = "";
        const bool here = strcmp(at, domain) == 0;
        if (here) in_domain++;
        if (!here && strcmp(ops[i]->name, name) == 0) elsewhere = ops[i];
        const int dist = distance(ops[i]->name, name);
        if (here && dist < best) {
            best = dist;
            near = ops[i];
        }
    }
    if (elsewhere != NULL)
        return tni_fail(d->err, TN_EUNSUPPORTED,
                        "operator %.60s of domain '%.60s'%s is not "
                        "supported; domain '%s' has one of that name",
                        name, shown(domain), version, shown(elsewhere->domain));
    if (near != NULL && best <= 3)
        return tni_fail(d->err, TN_EUNSUPPORTED,
                        "operator %.60s of domain '%.60s'%s is not "
                        "supported; the nearest supported name is %s",
                        name, shown(domain), version, near->name);
    return tni_fail(d->err, TN_EUNSUPPORTED,
                    "operator %.60s of domain '%.60s'%s is not "
                    "supported; this build has %d operators of that domain",
                    name, shown(domain), version, in_domain);
}

static tn_status fail_version(tni_decoder *d, const tni_op *op, int opset)
{
    int oldest = op->n_versions > 0 ? op->versions[0].since : 0, gone = 0;
    for (int i = 0; i < op->n_versions; i++) {
        const tni_op_version *v = &op->versions[i];
        if (v->since < oldest) oldest = v->since;
        if (v->since <= opset && v->deprecated > gone) gone = v->deprecated;
    }
    if (gone != 0 && opset >= gone)
        return tni_fail(d->err, TN_EUNSUPPORTED,
                        "operator %s was removed from '%s' in version %d, and "
                        "the model imports version %d; convert it with an "
                        "exporter for its version",
                        op->name, shown(op->domain), gone, opset);
    return tni_fail(d->err, TN_EUNSUPPORTED,
                    "operator %s of '%s' is supported from version %d on, and "
                    "the model imports version %d",
                    op->name, shown(op->domain), oldest, opset);
}

static const tni_op *find(const tni_decoder *d, const char *domain,
                          const char *name)
{
    void *const *slot = tni_strmap_find(&d->ops, name, strlen(name));
    if (slot == NULL) return NULL;
    const tni_op *op = *slot;
    const char *at = strcmp(op->domain, "ai.onnx") == 0 ? "" : op->domain;
    return strcmp(at, domain) == 0 ? op : tni_op_find(domain, name);
}

tn_status tni_decode_op(tni_decoder *d, const char *domain, const char *name,
                        int opset, const tni_op **op,
                        const tni_op_version **ver)
{
    *op = find(d, domain, name);
    *ver = *op != NULL ? tni_op_at(*op, opset) : NULL;
    if (*ver != NULL) return TN_OK;
    if (d->lenient) {
        if (*op == NULL) *op = &unknown_op;
        d->model->n_unsupported++;
        return TN_OK;
    }
    return *op == NULL ? fail_unknown(d, domain, name, opset)
                       : fail_version(d, *op, opset);
}
