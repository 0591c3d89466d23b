/* SPDX-License-Identifier: Apache-2.0 */
/* api_grpc.h - inside the application: what gRPC's endpoints share */
#ifndef TN_SRC_SERVE_API_GRPC_H
#define TN_SRC_SERVE_API_GRPC_H

#include "serve/api_call.h"

/* A method that streams, or NULL; its `serve` is NULL. */
const tni_route *tni_grpc_stream_method(tni_span path);
/* Takes the exchange over; false when it was answered. */
bool tni_grpc_stream_begin(tni_api *api, tni_exchange *x,
                           const tni_route *method);

/* A ModelInferRequest into the call: its model and its tensors. */
tn_status tni_grpc_read_infer(tni_call *call, uint8_t *message, size_t size,
                              tn_err *err);

/* Triton's ModelConfig as protobuf, into an open message. */
void tni_served_config_proto(const tni_served *m, tni_proto *w);

#endif
