/* SPDX-License-Identifier: Apache-2.0 */
/* peak_tmpl.h - the loop of peak_<isa>.c, over TYPE, FMA, SET1, STORE, WIDTH */
{
    const TYPE m = SET1(0.5f);
    /* All different: equal accumulators would be merged into one. */
    TYPE a0 = SET1(0.01f), a1 = SET1(0.02f), a2 = SET1(0.03f);
    TYPE a3 = SET1(0.04f), a4 = SET1(0.05f), a5 = SET1(0.06f);
    TYPE a6 = SET1(0.07f), a7 = SET1(0.08f), a8 = SET1(0.09f);
    TYPE a9 = SET1(0.10f), a10 = SET1(0.11f), a11 = SET1(0.12f);
    for (size_t i = 0; i < n; i++) {
        a0 = FMA(a0, m, m);
        a1 = FMA(a1, m, m);
        a2 = FMA(a2, m, m);
        a3 = FMA(a3, m, m);
        a4 = FMA(a4, m, m);
        a5 = FMA(a5, m, m);
        a6 = FMA(a6, m, m);
        a7 = FMA(a7, m, m);
        a8 = FMA(a8, m, m);
        a9 = FMA(a9, m, m);
        a10 = FMA(a10, m, m);
        a11 = FMA(a11, m, m);
    }
    STORE(out, a0);
    STORE(out + WIDTH, a1);
    STORE(out + 2 * WIDTH, a2);
    STORE(out + 3 * WIDTH, a3);
    STORE(out + 4 * WIDTH, a4);
    STORE(out + 5 * WIDTH, a5);
    STORE(out + 6 * WIDTH, a6);
    STORE(out + 7 * WIDTH, a7);
    STORE(out + 8 * WIDTH, a8);
    STORE(out + 9 * WIDTH, a9);
    STORE(out + 10 * WIDTH, a10);
    STORE(out + 11 * WIDTH, a11);
}
