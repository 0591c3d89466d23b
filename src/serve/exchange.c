/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - looking at a request, and answering by its transport */
#include "serve/exchange.h"

tni_span tni_exchange_header(const tni_exchange *x, const char *name)
{
    for (size_t i = 0; i < x->n_headers; i++)
        if (tni_span_is(x->headers[i].name, name)) return x->headers[i].value;
    return (tni_span){NULL, 0};
}

void tni_exchange_answer(tni_exchange *x, const tni_answer *answer)
{
    x->transport->answer(x, answer);
}

void tni_exchange_send(tni_exchange *x, const tni_piece *pieces, size_t n)
{
    x->transport->send(x, pieces, n);
}

void tni_exchange_finish(tni_exchange *x, int status, const char *message)
{
    x->transport->finish(x, status, message);
}
