# SPDX-License-Identifier: Apache-2.0
"""flops.py - multiplications and additions of a graph, by its own shapes.

Products and convolutions only, as their definition has them: a fast algorithm
(Winograd) does fewer, and may so come out above the machine's peak.
"""

import math

import onnx


def _shapes(graph):
    shapes = {}
    for value in [*graph.value_info, *graph.input, *graph.output]:
        dims = value.type.tensor_type.shape.dim
        shapes[value.name] = [d.dim_value or None for d in dims]
    for weight in graph.initializer:
        shapes[weight.name] = list(weight.dims)
    return shapes


def _recurrent(node, s):
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[node.op_type]
    steps, batch, width = s[node.input[0]]
    directions, _, hidden = s[node.input[2]]
    return 2 * steps * batch * directions * gates * hidden * (width + hidden)


def _node(node, s):
    kind = node.op_type
    if kind in ("Conv", "ConvInteger"):
        return 2 * math.prod(s[node.output[0]]) * \
            math.prod(s[node.input[1]][1:])
    if kind == "QLinearConv":
        return 2 * math.prod(s[node.output[0]]) * \
            math.prod(s[node.input[3]][1:])
    if kind == "ConvTranspose":
        return 2 * math.prod(s[node.input[0]]) * \
            math.prod(s[node.input[1]][1:])
    if kind in ("MatMul", "MatMulInteger", "QLinearMatMul"):
        return 2 * math.prod(s[node.output[0]]) * s[node.input[0]][-1]
    if kind == "Gemm":
        turned = any(a.name == "transA" and a.i for a in node.attribute)
        return 2 * math.prod(s[node.output[0]]) * \
            s[node.input[0]][0 if turned else 1]
    if kind in ("LSTM", "GRU", "RNN"):
        return _recurrent(node, s)
    return 0


def _count(path, feed, times):
    model = onnx.load(path)
    for value in model.graph.input:
        if value.name in feed:
            shape = value.type.tensor_type.shape
            del shape.dim[:]
            first, *rest = feed[value.name].shape
            for extent in (times * first, *rest):
                shape.dim.add().dim_value = extent
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes = _shapes(model.graph)
    return sum(_node(n, shapes) for n in model.graph.node) / times


def count(path, feed):
    """Operations of one run with these inputs; 0 where shapes are unknown.

    Inference loses a batch of one where it meets an extent that is not known
    (one of the two would be repeated), so it is tried with two as well.
    """
    for times in (1, 2):
        try:
            return _count(path, feed, times)
        except (KeyError, IndexError, ValueError, TypeError,
                onnx.shape_inference.InferenceError):
            pass
    return 0
