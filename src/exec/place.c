/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c - which tensors of a plan share memory, and where all of them lie
 *
 * Three ways to share: a later tensor in the memory of one that is dead
 * (memplan.c); an operator that works in place over an input that dies; and
 * the inputs of a Concat, which are computed where it would copy them. The last
 * is left out where it would need more memory: a tensor that is made long
 * before it is joined holds the place of all the others.
 */
#include "exec/place.h"

#include "exec/memplan.h"
#include "tensor/raw.h"

#include <limits.h>
#include <string.h>

typedef struct placer {
    tni_exec_plan *plan;
    bool keep_values;
    tni_arena *tmp;
    tn_err *err;
    int *last;   /* step that reads the memory of a slot last */
    int *made;   /* step that writes a slot; -1: none */
    int *host;   /* slot whose memory a slot is made in; its own as a rule */
    size_t *at;  /* where in its host, or its storage */
    int *guests; /* slots that are made in this one, itself not counted */
    int n_joined;
    tni_storage *storages;
    int *storage_of; /* -1: none */
    int n_storages;
} placer;

/* The last step that reads the memory of each slot (before sharing). */
static void find_uses(placer *p)
{
    const tni_exec_plan *plan = p->plan;
    const tni_graph *graph = plan->graph;
    for (int i = 0; i < plan->n_slots; i++) p->last[i] = p->made[i] = -1;
    for (int i = 0; i < plan->n_steps; i++) {
        const tni_step *step = &plan->steps[i];
        for (int k = 0; k < step->n_in; k++)
            if (step->in[k] >= 0) p->last[tni_plan_root(plan, step->in[k])] = i;
        for (int k = 0; k < step->n_out; k++)
            if (step->out[k] >= 0) p->made[step->out[k]] = i;
        for (int k = 0; k < step->node->n_captures; k++) {
            const int s = tni_plan_slot(graph, step->node->captures[k]);
            if (s >= 0) p->last[tni_plan_root(plan, s)] = i;
        }
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        const int s = tni_plan_slot(graph, graph->outputs[i]);
        if (s >= 0) p->last[tni_plan_root(plan, s)] = plan->n_steps;
    }
}

/* Where a slot begins in the memory of its root. */
static size_t offset_in_root(const tni_exec_plan *plan, int slot)
{
    size_t at = 0;
    for (; plan->slots[slot].where == TNI_SLOT_ALIAS;
         slot = plan->slots[slot].index)
        at += plan->slots[slot].offset;
    return at;
}

/* --- joining ----------------------------------------------------------- */

/* How many inputs from k on are, one after another, all of one slot's memory:
 * that slot goes to *root. 0: they are not. */
static int whole_root(const placer *p, const tni_step *step, int k, int *root)
{
    const tni_exec_plan *plan = p->plan;
    size_t at = 0;
    *root = tni_plan_root(plan, step->in[k]);
    const size_t size = tni_plan_bytes(&plan->slots[*root].type);
    if (plan->slots[*root].where != TNI_SLOT_BLOCK) return 0;
    for (int n = k; n < step->n_in; n++) {
        const int slot = step->in[n];
        if (tni_plan_root(plan, slot) != *root ||
            offset_in_root(plan, slot) != at)
            return 0;
        at += tni_plan_bytes(&plan->slots[slot].type);
        if (at == size) return n - k + 1;
    }
    return 0;
}

static bool describe(const placer *p, const tni_step *step, tni_plan *out)
{
    const tni_exec_plan *plan = p->plan;
    const tni_type **types =
        TNI_NEW_ARRAY(p->tmp, const tni_type *, step->n_in + step->n_out);
    const tni_tensor **consts =
        TNI_NEW_ARRAY(p->tmp, const tni_tensor *, step->n_in);
    if (types == NULL || consts == NULL) return false;
    for (int k = 0; k < step->n_in; k++) {
        if (step->in[k] < 0) continue;
        types[k] = &plan->slots[step->in[k]].type;
        const tni_tensor *c = plan->slots[step->in[k]].constant;
        consts[k] = c != NULL && tni_tensor_is_plain(c) ? c : NULL;
    }
    for (int k = 0; k < step->n_out; k++)
        if (step->out[k] >= 0)
            types[step->n_in + k] = &plan->slots[step->out[k]].type;
    *out = (tni_plan){.node = step->node,
                      .opset = step->node->opset,
                      .n_in = step->n_in,
                      .n_out = step->n_out,
                      .in = types,
                      .in_const = consts,
                      .out = types + step->n_in};
    return true;
}

/* Has what a Concat joins computed in its output, when it was made at most
 * `reach` steps before. */
static tn_status join(placer *p, int i, int reach)
{
    const tni_step *step = &p->plan->steps[i];
    tni_plan c;
    if (step->dynamic || step->run == NULL || step->out[0] < 0 ||
        (step->node->ver->traits & TNI_JOINS) == 0 ||
        p->plan->slots[step->out[0]].where != TNI_SLOT_BLOCK)
        return TN_OK;
    if (!describe(p, step, &c))
        return tni_fail(p->err, TN_ENOMEM, "out of memory while planning");
    const int to = step->out[0];
    for (int k = 0, n = 1; k < step->n_in; k += n) {
        int root = -1;
        size_t offset = 0;
        n = whole_root(p, step, k, &root);
        if (n == 0) {
            n = 1;
            continue;
        }
        if (p->host[root] != root || root == to || i - p->made[root] > reach ||
            !step->node->ver->piece(&c, k, &offset))
            continue;
        if ((p->at[to] + offset) % TNI_ALIGN != 0) continue;
        p->host[root] = p->host[to];
        p->at[root] = p->at[to] + offset;
        p->guests[p->host[to]]++;
        p->n_joined++;
    }
    return TN_OK;
}

/* From the end, so that where an output goes is settled before its parts. */
static tn_status join_all(placer *p, int reach)
{
    const tni_exec_plan *plan = p->plan;
    p->n_joined = 0;
    for (int i = 0; i < plan->n_slots; i++) {
        p->host[i] = i;
        p->at[i] = 0;
        p->guests[i] = 0;
    }
    for (int i = plan->n_steps - 1; i >= 0 && reach > 0 && !p->keep_values; i--)
        TN_TRY(join(p, i, reach));
    return TN_OK;
}

/* --- working in place --------------------------------------------------- */

typedef struct range {
    int storage;
    size_t begin, end;
} range;

static range range_of(const placer *p, int slot)
{
    const tni_exec_plan *plan = p->plan;
    const int root = tni_plan_root(plan, slot);
    const size_t begin = p->at[root] + offset_in_root(plan, slot);
    return (range){p->storage_of[root], begin,
                   begin + tni_plan_bytes(&plan->slots[slot].type)};
}

/* Does no other input look at a part of the same memory? One that looks at
 * exactly the same is read where it is written. */
static bool sole_view(const placer *p, const tni_step *step, int k)
{
    const range a = range_of(p, step->in[k]);
    for (int m = 0; m < step->n_in; m++) {
        if (step->in[m] < 0) continue;
        const range b = range_of(p, step->in[m]);
        const bool same = a.begin == b.begin && a.end == b.end;
        if (a.storage == b.storage && !same && a.begin < b.end &&
            b.begin < a.end)
            return false;
    }
    return true;
}

/* A slot that an operator may write its output over: that of an input that
 * dies at this step and fits; -1: none. */
static int inplace_slot(const placer *p, const tni_step *step, int at)
{
    const tni_exec_plan *plan = p->plan;
    if ((step->node->ver->traits & TNI_INPLACE) == 0 || step->dynamic ||
        p->keep_values)
        return -1;
    const tni_type *out = &plan->slots[step->out[0]].type;
    for (int k = 0; k < step->n_in; k++) {
        if (step->in[k] < 0) continue;
        const tni_type *in = &plan->slots[step->in[k]].type;
        const int root = tni_plan_root(plan, step->in[k]);
        if (p->storage_of[root] < 0 || p->last[root] != at ||
            in->dtype != out->dtype ||
            tni_plan_bytes(in) != tni_plan_bytes(out) ||
            offset_in_root(plan, step->in[k]) != 0 || !sole_view(p, step, k))
            continue;
        /* The storage may be shared by an earlier in-place chain, or by what
         * is joined: it must die here as a whole. */
        if (p->storages[p->storage_of[root]].last <= at) return root;
    }
    return -1;
}

/* --- storages ----------------------------------------------------------- */

static int add_storage(placer *p, int slot, int first)
{
    tni_storage *s = &p->storages[p->n_storages];
    *s = (tni_storage){tni_plan_bytes(&p->plan->slots[slot].type),
                       p->keep_values ? 0 : first, first, 0};
    return p->n_storages++;
}

static void settle_output(placer *p, const tni_step *step, int k, int i)
{
    const int slot = step->out[k], host = p->host[slot];
    const bool joined = host != slot || p->guests[slot] > 0;
    const int over = k == 0 && !joined ? inplace_slot(p, step, i) : -1;
    int end = p->last[slot] < i ? i : p->last[slot];
    if (over >= 0) {
        p->storage_of[slot] = p->storage_of[over];
        p->at[slot] = p->at[over];
    } else {
        if (p->storage_of[host] < 0)
            p->storage_of[host] = add_storage(p, host, i);
        p->storage_of[slot] = p->storage_of[host];
    }
    tni_storage *s = &p->storages[p->storage_of[slot]];
    if (p->keep_values) end = p->plan->n_steps;
    if (s->last < end) s->last = end;
}

static void touch(placer *p, int slot, int step)
{
    if (slot < 0) return;
    const int s = p->storage_of[tni_plan_root(p->plan, slot)];
    if (s >= 0 && p->storages[s].last < step) p->storages[s].last = step;
}

/* Storages for what has been joined, and where they lie. */
static tn_status settle(placer *p)
{
    tni_exec_plan *plan = p->plan;
    p->n_storages = 0;
    for (int i = 0; i < plan->n_slots; i++) p->storage_of[i] = -1;
    for (int i = 0; i < plan->n_steps; i++) {
        const tni_step *step = &plan->steps[i];
        for (int k = 0; k < step->n_out; k++)
            if (step->out[k] >= 0 &&
                plan->slots[step->out[k]].where == TNI_SLOT_BLOCK)
                settle_output(p, step, k, i);
        for (int k = 0; k < step->n_in; k++) touch(p, step->in[k], i);
    }
    return tni_memplan(&plan->block_bytes, p->storages, p->n_storages, p->tmp,
                       p->err);
}

static tn_status settle_joined(placer *p, int reach)
{
    TN_TRY(join_all(p, reach));
    return settle(p);
}

/* Joins as far back as it takes no more than a sixteenth of memory more. */
static tn_status settle_best(placer *p)
{
    static const int reaches[] = {INT_MAX, 16};
    TN_TRY(join_all(p, INT_MAX));
    if (p->n_joined == 0) return settle(p);
    TN_TRY(settle_joined(p, 0));
    const size_t most = p->plan->block_bytes + p->plan->block_bytes / 16;
    for (size_t i = 0; i < sizeof reaches / sizeof reaches[0]; i++) {
        TN_TRY(settle_joined(p, reaches[i]));
        if (p->plan->block_bytes <= most) return TN_OK;
    }
    return settle_joined(p, 0);
}

tn_status tni_plan_place(tni_exec_plan *plan, bool keep_values, tni_arena *tmp,
                         tn_err *err)
{
    const int n = plan->n_slots;
    placer p = {.plan = plan,
                .keep_values = keep_values,
                .tmp = tmp,
                .err = err,
                .last = TNI_NEW_ARRAY(tmp, int, n),
                .made = TNI_NEW_ARRAY(tmp, int, n),
                .host = TNI_NEW_ARRAY(tmp, int, n),
                .at = TNI_NEW_ARRAY(tmp, size_t, n),
                .guests = TNI_NEW_ARRAY(tmp, int, n),
                .storages = TNI_NEW_ARRAY(tmp, tni_storage, n),
                .storage_of = TNI_NEW_ARRAY(tmp, int, n)};
    if (p.last == NULL || p.made == NULL || p.host == NULL || p.at == NULL ||
        p.guests == NULL || p.storages == NULL || p.storage_of == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory while planning");
    find_uses(&p);
    TN_TRY(settle_best(&p));
    for (int i = 0; i < n; i++)
        if (p.storage_of[i] >= 0)
            plan->slots[i].offset =
                p.storages[p.storage_of[i]].offset + p.at[i];
    return TN_OK;
}
