/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reflection.h - what grpcurl asks: the services, their methods and messages
 *
 * Source: grpc.reflection.v1 (and v1alpha, the same under another name), and
 * google/protobuf/descriptor.proto
 */
#ifndef TN_SRC_SERVE_REFLECTION_H
#define TN_SRC_SERVE_REFLECTION_H

#include "base/err.h"
#include "serve/proto_write.h"

/* Answers a ServerReflectionRequest with a ServerReflectionResponse; what is
 * unknown is an answer too. TN_EFORMAT when the request cannot be read. */
tn_status tni_reflect(tni_proto *out, const uint8_t *request, size_t size,
                      tn_err *err);

#endif
