/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgemm_vec_pairs.h - the product of pairs without an instruction for it
 *
 * At the end of bgemm_vec_<isa>.h, which has v_upper(x) and v_lower(x): the
 * terms of pairs as floats. Widening costs as much as multiplying, so this
 * saves time only where one waits for memory: few rows.
 */
#undef v_acc
#undef v_acc_at
#define v_acc(acc, a, b)                                                       \
    acc = v_fma(v_lower(a), v_lower(b), v_fma(v_upper(a), v_upper(b), acc))
#define v_acc_at(acc, a, p)                                                    \
    do {                                                                       \
        const V pairs_ = v_loadu(p);                                           \
        v_acc(acc, a, pairs_);                                                 \
    } while (0)
