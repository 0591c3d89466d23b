/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - HannWindow, HammingWindow and BlackmanWindow: sums of cosines */
#ifndef TN_SRC_OPS_WINDOW_H
#define TN_SRC_OPS_WINDOW_H

#include "ops/infer.h"

extern const tni_arg tni_window_in[1], tni_window_out[1];
extern const tni_attr_spec tni_window_attrs[2];

tn_status tni_window_infer(tni_infer *c);
/* w[n] = a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N), N the size when
 * periodic, else one less. */
tn_status tni_window_ref(tni_ref *c, double a0, double a1, double a2);

#endif
