#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_models.py - write the benchmark networks as ONNX, with seeded weights.

The architectures are the published ones, node for node as exporters write
them; the weights are random. Speed does not depend on what a network has
learnt, but it does depend on values being ordinary numbers, so every layer is
scaled to keep its output near zero mean and unit variance (see Net._weight).
Needs numpy and onnx, and nothing to download.

    python bench/models/make_models.py --list
    python bench/models/make_models.py --only resnet50,mobilenetv2 -o DIR
"""

import argparse
import math
import os
import sys
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32, I64 = TensorProto.FLOAT, TensorProto.INT64

# Mean and variance of f(x) for x from the standard normal distribution.
MOMENTS = {"relu": (0.399, 0.341), "relu6": (0.399, 0.341),
           "silu": (0.207, 0.314), "hardswish": (0.208, 0.295),
           "gelu": (0.282, 0.344), "tanh": (0.0, 0.394), None: (0.0, 1.0)}


class Val:
    """A tensor's name, its channels, and the moments that it should have."""

    def __init__(self, name, channels, mean=0.0, var=1.0):
        self.name, self.channels = name, channels
        self.mean, self.var = mean, var


class Net:
    """An ONNX graph under construction."""

    def __init__(self, name, opset=17, ml=None, damp=1.0):
        self.name = name
        self.damp = damp  # what the estimate of _weight() is out by, per layer
        self.rng = np.random.Generator(np.random.PCG64(
            zlib.crc32(name.encode())))
        self.opsets = [helper.make_opsetid("", opset)]
        if ml:
            self.opsets.append(helper.make_opsetid("ai.onnx.ml", ml))
        self.ir = 8 if opset < 19 else 9
        self.nodes, self.weights = [], []
        self.inputs, self.outputs = [], []
        self.count = 0

    # -- parts ----------------------------------------------------------

    def fresh(self, what):
        self.count += 1
        return f"{what}_{self.count}"

    def const(self, array, what="const"):
        name = self.fresh(what)
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *values):
        return self.const(np.array(values, np.int64), "shape")

    def scalar(self, value):
        return self.const(np.array(value, np.float32), "scalar")

    def node(self, op, inputs, outputs=1, **attributes):
        out = [self.fresh(op.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(
            op, list(inputs), out, name=f"/{op}_{len(self.nodes)}",
            **attributes))
        return out[0] if outputs == 1 else out

    def input(self, name, shape, dtype=F32, channels=0):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return Val(name, channels)

    def output(self, value, name, shape, dtype=F32):
        value = value.name if isinstance(value, Val) else value
        for node in self.nodes:
            node.output[:] = [name if o == value else o for o in node.output]
            node.input[:] = [name if i == value else i for i in node.input]
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def save(self, path):
        graph = helper.make_graph(self.nodes, self.name, self.inputs,
                                  self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=self.opsets,
                                  producer_name="tenon-bench",
                                  ir_version=self.ir)
        onnx.checker.check_model(model)
        onnx.save(model, path + ".part")
        os.replace(path + ".part", path)

    def _weight(self, shape, fan_in, x):
        """Weights that turn x into unit variance.

        Where a filter looks at many channels its weights are centred, so the
        common mean that rectifiers leave in every channel cancels. Without
        that, a deep random network gives one answer to every input.
        """
        w = self.rng.standard_normal(shape, np.float32)
        power = x.var + x.mean ** 2
        if fan_in >= 64 and len(shape) > 1 and shape[1] > 1:
            w -= w.mean(axis=tuple(range(1, len(shape))), keepdims=True)
            power = x.var
        w *= np.float32(self.damp / math.sqrt(fan_in * max(power, 1e-3)))
        return w

    # -- layers -----------------------------------------------------------

    def act(self, x, kind):
        if kind is None:
            return x
        if kind == "relu":
            y = self.node("Relu", [x.name])
        elif kind == "relu6":
            y = self.node("Clip", [x.name, self.scalar(0), self.scalar(6)])
        elif kind == "silu":
            y = self.node("Mul", [x.name, self.node("Sigmoid", [x.name])])
        elif kind == "hardswish":
            y = self.node("HardSwish", [x.name])
        elif kind == "tanh":
            y = self.node("Tanh", [x.name])
        elif kind == "gelu":  # as exporters write it before opset 20
            t = self.node("Div", [x.name, self.scalar(math.sqrt(2))])
            t = self.node("Add", [self.node("Erf", [t]), self.scalar(1)])
            t = self.node("Mul", [x.name, t])
            y = self.node("Mul", [t, self.scalar(0.5)])
        else:
            raise ValueError(kind)
        return Val(y, x.channels, *MOMENTS[kind])

    def conv(self, x, channels, k, stride=1, groups=1, act=None, bn=False,
             pad=None, gain=1.0):
        """Convolution, then BatchNorm as a node of its own or folded in."""
        pad = k // 2 if pad is None else pad
        per = x.channels // groups
        w = self._weight((channels, per, k, k), per * k * k, x)
        w *= np.float32(gain)
        inputs = [x.name, self.const(w, "weight")]
        if not bn:
            inputs.append(self.const(0.1 * self.rng.standard_normal(
                channels, np.float32), "bias"))
        y = self.node("Conv", inputs, kernel_shape=[k, k], group=groups,
                      strides=[stride] * 2, pads=[pad] * 4, dilations=[1, 1])
        if bn:
            u = self.rng.uniform
            y = self.node("BatchNormalization", [
                y, self.const(u(.9, 1.1, channels).astype(np.float32), "gamma"),
                self.const(u(-.1, .1, channels).astype(np.float32), "beta"),
                self.const(u(-.1, .1, channels).astype(np.float32), "mean"),
                self.const((u(.9, 1.1, channels) * gain ** 2)
                           .astype(np.float32), "var")], epsilon=1e-5)
            gain = 1.0
        return self.act(Val(y, channels, 0.0, gain ** 2), act)

    def add(self, a, b):
        return Val(self.node("Add", [a.name, b.name]), a.channels,
                   a.mean + b.mean, a.var + b.var)

    def concat(self, values, axis=1):
        return Val(self.node("Concat", [v.name for v in values], axis=axis),
                   sum(v.channels for v in values),
                   sum(v.mean for v in values) / len(values),
                   sum(v.var for v in values) / len(values))

    def maxpool(self, x, k, stride, pad):
        return Val(self.node("MaxPool", [x.name], kernel_shape=[k, k],
                             strides=[stride] * 2, pads=[pad] * 4),
                   x.channels, x.mean + math.sqrt(x.var), x.var)

    def squeeze_excite(self, x, squeezed, gate, act):
        """Scale every channel by a number that depends on its mean."""
        s = Val(self.node("GlobalAveragePool", [x.name]), x.channels,
                x.mean, 0.25 * x.var)
        s = self.conv(s, squeezed, 1, act=act)
        s = self.conv(s, x.channels, 1)
        g = self.node("Sigmoid", [s.name]) if gate == "sigmoid" else \
            self.node("HardSigmoid", [s.name], alpha=1 / 6, beta=0.5)
        return Val(self.node("Mul", [x.name, g]), x.channels,
                   0.5 * x.mean, 0.27 * x.var)

    def gemm(self, x, units, act=None):
        w = self._weight((units, x.channels), x.channels, x)
        b = 0.1 * self.rng.standard_normal(units, np.float32)
        y = self.node("Gemm", [x.name, self.const(w, "weight"),
                               self.const(b, "bias")], transB=1)
        return self.act(Val(y, units), act)

    def classify(self, x, units=1000):
        """Global pooling and the last layer."""
        y = self.node("GlobalAveragePool", [x.name])
        y = self.node("Flatten", [y], axis=1)
        y = self.gemm(Val(y, x.channels, x.mean, 0.1 * x.var), units)
        self.output(y, "logits", ["batch", units])

    def linear(self, x, units, gain=1.0):
        """MatMul and Add on the last axis, as transformers have it."""
        w = self._weight((units, x.channels), x.channels, x).T * \
            np.float32(gain)
        b = np.float32(0.02) * self.rng.standard_normal(units, np.float32)
        y = self.node("MatMul", [x.name, self.const(
            np.ascontiguousarray(w), "weight")])
        return Val(self.node("Add", [self.const(b, "bias"), y]), units,
                   0.0, gain ** 2)

    def layernorm(self, x, spelt_out=False, epsilon=1e-12):
        c = x.channels
        g = self.const(self.rng.uniform(.9, 1.1, c).astype(np.float32), "gamma")
        b = self.const(self.rng.uniform(-.1, .1, c).astype(np.float32), "beta")
        if not spelt_out:
            return Val(self.node("LayerNormalization", [x.name, g, b],
                                 axis=-1, epsilon=epsilon), c)
        d = self.node("Sub", [x.name, self.node(
            "ReduceMean", [x.name], axes=[-1], keepdims=1)])
        v = self.node("ReduceMean", [self.node("Pow", [d, self.scalar(2)])],
                      axes=[-1], keepdims=1)
        v = self.node("Sqrt", [self.node("Add", [v, self.scalar(epsilon)])])
        y = self.node("Mul", [self.node("Div", [d, v]), g])
        return Val(self.node("Add", [y, b]), c)

    def attention(self, x, heads, mask=None):
        """Multi-head self-attention on [batch, tokens, channels]."""
        c = x.channels
        size = c // heads

        def split(v, perm):
            r = self.node("Reshape", [v.name, self.ints(0, 0, heads, size)])
            return self.node("Transpose", [r], perm=perm)

        q = split(self.linear(x, c), [0, 2, 1, 3])
        k = split(self.linear(x, c), [0, 2, 3, 1])
        v = split(self.linear(x, c), [0, 2, 1, 3])
        s = self.node("Div", [self.node("MatMul", [q, k]),
                              self.scalar(math.sqrt(size))])
        if mask:
            s = self.node("Add", [s, mask])
        y = self.node("MatMul", [self.node("Softmax", [s], axis=-1), v])
        y = self.node("Transpose", [y], perm=[0, 2, 1, 3])
        y = self.node("Reshape", [y, self.ints(0, 0, c)])
        return self.linear(Val(y, c, 0.0, 0.1), c, gain=0.5)


class QuantNet(Net):
    """The same networks quantised: 8-bit integers between QuantizeLinear and
    DequantizeLinear, as quantisers write them.

    Activations are uint8 with a range from the moments that are expected;
    weights int8 with a scale per channel, of seven bits, because ONNX Runtime
    saturates sums of two products on processors without dot products.
    """

    def quantize(self, x):
        """The name of x after a round of quantisation, made when first used."""
        if getattr(x, "quantized", None):
            return x.quantized
        dev = math.sqrt(x.var)
        low, high = x.mean - 5 * dev, x.mean + 5 * dev
        if getattr(x, "floor", None) is not None:
            low, high = x.floor, min(high, x.ceiling)
        scale = np.float32((high - low) / 255)
        zero = np.uint8(min(255, max(0, round(-low / float(scale)))))
        params = [self.const(scale, "scale"), self.const(zero, "zero")]
        q = self.node("QuantizeLinear", [x.name, *params])
        x.quantized = self.node("DequantizeLinear", [q, *params])
        x.scale, x.params = float(scale), params
        return x.quantized

    def quantized_weights(self, w, bias, x, per_channel):
        """Weights [out, ...] and a bias through DequantizeLinear."""
        axes = tuple(range(1, w.ndim)) if per_channel else None
        scale = np.asarray(np.abs(w).max(axis=axes) / 63, np.float32)
        shape = (-1,) + (1,) * (w.ndim - 1) if per_channel else ()
        q = np.clip(np.rint(w / scale.reshape(shape)), -64, 63)
        zero = self.const(np.zeros(scale.shape, np.int8), "zero")
        axis = {"axis": 0} if per_channel else {}
        out = [self.node("DequantizeLinear",
                         [self.const(q.astype(np.int8), "weight"),
                          self.const(scale, "scale"), zero], **axis)]
        unit = np.asarray(np.float32(x.scale) * scale, np.float32)
        b = np.rint(bias / unit).astype(np.int32)
        out.append(self.node("DequantizeLinear",
                             [self.const(b, "bias"), self.const(unit, "scale"),
                              self.const(np.zeros(unit.shape, np.int32),
                                         "zero")], **axis))
        return out

    def act(self, x, kind):
        y = super().act(x, kind)
        if kind in ("relu", "relu6"):
            y.floor, y.ceiling = 0.0, 6.0 if kind == "relu6" else math.inf
        return y

    def conv(self, x, channels, k, stride=1, groups=1, act=None, bn=False,
             pad=None, gain=1.0):
        pad = k // 2 if pad is None else pad
        per = x.channels // groups
        w = self._weight((channels, per, k, k), per * k * k, x)
        w *= np.float32(gain)
        bias = 0.1 * self.rng.standard_normal(channels, np.float32)
        y = self.node("Conv", [self.quantize(x),
                               *self.quantized_weights(w, bias, x, True)],
                      kernel_shape=[k, k], group=groups, strides=[stride] * 2,
                      pads=[pad] * 4, dilations=[1, 1])
        return self.act(Val(y, channels, 0.0, gain ** 2), act)

    def add(self, a, b):
        return Val(self.node("Add", [self.quantize(a), self.quantize(b)]),
                   a.channels, a.mean + b.mean, a.var + b.var)

    def maxpool(self, x, k, stride, pad):
        y = self.node("MaxPool", [self.quantize(x)], kernel_shape=[k, k],
                      strides=[stride] * 2, pads=[pad] * 4)
        v = Val(y, x.channels, x.mean + math.sqrt(x.var), x.var)
        q = self.node("QuantizeLinear", [y, *x.params])
        v.quantized = self.node("DequantizeLinear", [q, *x.params])
        v.scale, v.params = x.scale, x.params
        return v

    def classify(self, x, units=1000):
        y = self.node("GlobalAveragePool", [self.quantize(x)])
        y = Val(y, x.channels, x.mean, 0.1 * x.var)
        f = self.node("Flatten", [self.quantize(y)], axis=1)
        w = self._weight((units, x.channels), x.channels, y)
        bias = 0.1 * self.rng.standard_normal(units, np.float32)
        q = self.node("QuantizeLinear", [f, *y.params])
        q = self.node("DequantizeLinear", [q, *y.params])
        y = self.node("Gemm", [q, *self.quantized_weights(w, bias, y, False)], transB=1)
        y = Val(y, units)
        self.output(self.quantize(y), "logits", ["batch", units])


# -- image networks -----------------------------------------------------------

def resnet(name, blocks, bottleneck, kind=Net):
    """He et al. 2015 (v1.5: the stride sits on the 3x3), BatchNorm apart."""
    n = kind(name)
    x = n.input("image", ["batch", 3, 224, 224], channels=3)
    x = n.maxpool(n.conv(x, 64, 7, 2, act="relu", bn=True), 3, 2, 1)
    for stage, count in enumerate(blocks):
        width = 64 << stage
        for i in range(count):
            stride = 2 if stage and not i else 1
            out = width * 4 if bottleneck else width
            way = x
            if stride != 1 or x.channels != out:
                way = n.conv(x, out, 1, stride, bn=True)
            if bottleneck:
                y = n.conv(x, width, 1, act="relu", bn=True)
                y = n.conv(y, width, 3, stride, act="relu", bn=True)
                y = n.conv(y, out, 1, bn=True)
            else:
                y = n.conv(x, width, 3, stride, act="relu", bn=True)
                y = n.conv(y, width, 3, bn=True)
            s = n.add(y, way)
            x = n.act(s, "relu")
            dev = math.sqrt(s.var)
            x.mean, x.var = 0.5 * s.mean + 0.4 * dev, 0.5 * s.var
    n.classify(x)
    return n


def mobilenetv2(name="mobilenetv2", kind=Net):
    """Sandler et al. 2018, width 1.0; BatchNorm folded, as exporters do."""
    n = kind(name)
    x = n.input("image", ["batch", 3, 224, 224], channels=3)
    x = n.conv(x, 32, 3, 2, act="relu6")
    for t, c, count, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
                           (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                           (6, 320, 1, 1)]:
        for i in range(count):
            stride = 1 if i else s
            y = x
            if t != 1:
                y = n.conv(y, x.channels * t, 1, act="relu6")
            y = n.conv(y, y.channels, 3, stride, groups=y.channels,
                       act="relu6")
            y = n.conv(y, c, 1, gain=0.6 if i else 1.0)
            x = n.add(x, y) if stride == 1 and x.channels == c else y
    n.classify(n.conv(x, 1280, 1, act="relu6"))
    return n


def mobilenetv3_large():
    """Howard et al. 2019, width 1.0, with HardSwish and squeeze-excite."""
    n = Net("mobilenetv3-large", damp=0.97)
    x = n.input("image", ["batch", 3, 224, 224], channels=3)
    x = n.conv(x, 16, 3, 2, act="hardswish")
    re, hs = "relu", "hardswish"
    for k, exp, out, se, act, stride in [
            (3, 16, 16, 0, re, 1), (3, 64, 24, 0, re, 2), (3, 72, 24, 0, re, 1),
            (5, 72, 40, 1, re, 2), (5, 120, 40, 1, re, 1),
            (5, 120, 40, 1, re, 1), (3, 240, 80, 0, hs, 2),
            (3, 200, 80, 0, hs, 1), (3, 184, 80, 0, hs, 1),
            (3, 184, 80, 0, hs, 1), (3, 480, 112, 1, hs, 1),
            (3, 672, 112, 1, hs, 1), (5, 672, 160, 1, hs, 2),
            (5, 960, 160, 1, hs, 1), (5, 960, 160, 1, hs, 1)]:
        same = stride == 1 and x.channels == out
        y = n.conv(x, exp, 1, act=act) if exp != x.channels else x
        y = n.conv(y, exp, k, stride, groups=exp, act=act)
        if se:
            squeezed = max(8, (exp // 4 + 4) // 8 * 8)
            y = n.squeeze_excite(y, squeezed, "hardsigmoid", "relu")
        y = n.conv(y, out, 1, gain=0.6 if same else 1.0)
        x = n.add(x, y) if same else y
    x = n.conv(x, 960, 1, act=hs)
    y = n.node("Flatten", [n.node("GlobalAveragePool", [x.name])], axis=1)
    y = n.gemm(Val(y, 960, x.mean, 0.1 * x.var), 1280, act=hs)
    n.output(n.gemm(y, 1000), "logits", ["batch", 1000])
    return n


def efficientnet_b0():
    """Tan and Le 2019, with SiLU and squeeze-excite."""
    n = Net("efficientnet-b0", damp=0.96)
    x = n.input("image", ["batch", 3, 224, 224], channels=3)
    x = n.conv(x, 32, 3, 2, act="silu")
    for t, c, count, s, k in [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3),
                              (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                              (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
                              (6, 320, 1, 1, 3)]:
        for i in range(count):
            stride = 1 if i else s
            y = x
            if t != 1:
                y = n.conv(y, x.channels * t, 1, act="silu")
            y = n.conv(y, y.channels, k, stride, groups=y.channels, act="silu")
            y = n.squeeze_excite(y, max(1, x.channels // 4), "sigmoid", "silu")
            y = n.conv(y, c, 1, gain=0.6 if i else 1.0)
            x = n.add(x, y) if stride == 1 and x.channels == c else y
    n.classify(n.conv(x, 1280, 1, act="silu"))
    return n


def vgg16():
    """Simonyan and Zisserman 2014, configuration D."""
    n = Net("vgg16")
    x = n.input("image", ["batch", 3, 224, 224], channels=3)
    for width, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
        for _ in range(count):
            x = n.conv(x, width, 3, act="relu")
        x = n.maxpool(x, 2, 2, 0)
    x = Val(n.node("Flatten", [x.name], axis=1), 512 * 7 * 7, x.mean, x.var)
    x = n.gemm(n.gemm(x, 4096, act="relu"), 4096, act="relu")
    n.output(n.gemm(x, 1000), "logits", ["batch", 1000])
    return n


def yolov8n():
    """The layout of YOLOv8n at 640 x 640: C2f, SPPF, and its decoding head."""
    n = Net("yolov8n-like")

    def conv(x, c, k=1, s=1):
        return n.conv(x, c, k, s, act="silu")

    def c2f(x, c, count, shortcut):
        y = conv(x, c)
        a, b = n.node("Split", [y.name, n.ints(c // 2, c // 2)], 2, axis=1)
        parts = [Val(v, c // 2, y.mean, y.var) for v in (a, b)]
        for _ in range(count):
            z = conv(conv(parts[-1], c // 2, 3), c // 2, 3)
            parts.append(n.add(parts[-1], z) if shortcut else z)
        return conv(n.concat(parts), c)

    def up(x):
        y = n.node("Resize", [x.name, "", n.const(
            np.array([1, 1, 2, 2], np.float32), "scales")], mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return Val(y, x.channels, x.mean, x.var)

    x = n.input("images", ["batch", 3, 640, 640], channels=3)
    x = c2f(conv(conv(x, 16, 3, 2), 32, 3, 2), 32, 1, True)
    p3 = c2f(conv(x, 64, 3, 2), 64, 2, True)
    p4 = c2f(conv(p3, 128, 3, 2), 128, 2, True)
    x = c2f(conv(p4, 256, 3, 2), 256, 1, True)
    y = [conv(x, 128)]
    for _ in range(3):
        y.append(n.maxpool(y[-1], 5, 1, 2))
    p5 = conv(n.concat(y), 256)
    h4 = c2f(n.concat([up(p5), p4]), 128, 1, False)
    h3 = c2f(n.concat([up(h4), p3]), 64, 1, False)
    h4 = c2f(n.concat([conv(h3, 64, 3, 2), h4]), 128, 1, False)
    h5 = c2f(n.concat([conv(h4, 128, 3, 2), p5]), 256, 1, False)

    scales, anchors, strides = [], [], []
    for h, size in ((h3, 80), (h4, 40), (h5, 20)):
        box = n.conv(conv(conv(h, 64, 3), 64, 3), 64, 1)
        cls = n.conv(conv(conv(h, 80, 3), 80, 3), 80, 1)
        both = n.concat([box, cls])
        scales.append(n.node("Reshape", [both.name, n.ints(0, 144, -1)]))
        g = np.arange(size, dtype=np.float32) + np.float32(0.5)
        anchors.append(np.stack([np.tile(g, size), np.repeat(g, size)]))
        strides.append(np.full(size * size, 640 / size, np.float32))
    anchor = n.const(np.concatenate(anchors, 1)[None], "anchors")
    stride = n.const(np.concatenate(strides)[None, None], "strides")
    box, cls = n.node("Split", [n.node("Concat", scales, axis=2),
                                n.ints(64, 80)], 2, axis=1)
    # Distances to the four sides, each the mean of a distribution over 16.
    d = n.node("Reshape", [box, n.ints(0, 4, 16, 8400)])
    d = n.node("Softmax", [n.node("Transpose", [d], perm=[0, 2, 1, 3])],
               axis=1)
    d = n.node("Conv", [d, n.const(np.arange(16, dtype=np.float32)
                                   .reshape(1, 16, 1, 1), "weight")])
    d = n.node("Reshape", [d, n.ints(0, 4, 8400)])
    near, far = n.node("Split", [d, n.ints(2, 2)], 2, axis=1)
    low, high = n.node("Sub", [anchor, near]), n.node("Add", [anchor, far])
    centre = n.node("Div", [n.node("Add", [low, high]), n.scalar(2)])
    box = n.node("Concat", [centre, n.node("Sub", [high, low])], axis=1)
    box = n.node("Mul", [box, stride])
    y = n.node("Concat", [box, n.node("Sigmoid", [cls])], axis=1)
    n.output(y, "output0", ["batch", 84, 8400])
    return n


# -- transformers -------------------------------------------------------------

def bert(name, layers, c, heads, spelt_out, pooler):
    """Devlin et al. 2018. `spelt_out` writes LayerNorm in nine nodes."""
    n = Net(name, opset=13 if spelt_out else 17)
    shape = ["batch", "sequence"]
    ids = n.input("input_ids", shape, I64)
    attend = n.input("attention_mask", shape, I64)
    types = n.input("token_type_ids", shape, I64)
    r = n.rng
    words = n.const(r.standard_normal((30522, c), np.float32), "words")
    kinds = n.const(r.standard_normal((2, c), np.float32), "kinds")
    places = n.const(r.standard_normal((1, 512, c), np.float32), "places")
    length = n.node("Unsqueeze", [n.node(
        "Gather", [n.node("Shape", [ids.name]), n.const(np.array(1))],
        axis=0), n.ints(0)])
    place = n.node("Slice", [places, n.ints(0), length, n.ints(1)])
    x = n.node("Add", [n.node("Gather", [words, ids.name]),
                       n.node("Gather", [kinds, types.name])])
    x = n.layernorm(Val(n.node("Add", [x, place]), c), spelt_out)
    m = n.node("Cast", [n.node("Unsqueeze", [attend.name, n.ints(1, 2)])],
               to=F32)
    m = n.node("Mul", [n.node("Sub", [n.scalar(1), m]), n.scalar(-10000)])
    for _ in range(layers):
        x = n.layernorm(n.add(n.attention(x, heads, m), x), spelt_out)
        y = n.act(n.linear(x, 4 * c), "gelu")
        x = n.layernorm(n.add(n.linear(y, c), x), spelt_out)
    if pooler:
        first = n.node("Gather", [x.name, n.const(np.array(0))], axis=1)
        n.output(n.gemm(Val(first, c), c, act="tanh"), "pooler_output",
                 ["batch", c])
    n.output(x, "last_hidden_state", ["batch", "sequence", c])
    return n


def vit_b16():
    """Dosovitskiy et al. 2020, 16 x 16 patches; Gelu as opset 20 has it."""
    n = Net("vit-b16", opset=20)
    c = 768
    x = n.input("image", ["batch", 3, 224, 224], channels=3)
    x = n.conv(x, c, 16, 16, pad=0)
    x = n.node("Transpose", [n.node("Reshape", [x.name, n.ints(0, c, 196)])],
               perm=[0, 2, 1])
    batch = n.node("Shape", [x], start=0, end=1)
    token = n.const(n.rng.standard_normal((1, 1, c), np.float32), "token")
    token = n.node("Expand", [token, n.node(
        "Concat", [batch, n.ints(1, c)], axis=0)])
    x = n.node("Concat", [token, x], axis=1)
    place = n.const(n.rng.standard_normal((1, 197, c), np.float32) *
                    np.float32(0.2), "places")
    x = Val(n.node("Add", [x, place]), c)
    for _ in range(12):
        x = n.add(x, n.attention(n.layernorm(x, epsilon=1e-6), 12))
        y = n.linear(n.layernorm(x, epsilon=1e-6), 4 * c)
        y = Val(n.node("Gelu", [y.name]), 4 * c, *MOMENTS["gelu"])
        x = n.add(x, n.linear(y, c, gain=0.5))
    x = n.layernorm(x, epsilon=1e-6)
    first = n.node("Gather", [x.name, n.const(np.array(0))], axis=1)
    n.output(n.gemm(Val(first, c), 1000), "logits", ["batch", 1000])
    return n


# -- small ones ---------------------------------------------------------------

def mlp():
    n = Net("mlp")
    x = n.input("input", ["batch", 784], channels=784)
    x = n.gemm(n.gemm(x, 256, act="relu"), 128, act="relu")
    y = n.node("Softmax", [n.gemm(x, 10).name], axis=-1)
    n.output(y, "probability", ["batch", 10])
    return n


def recurrent(name, op, gates):
    """Two recurrent layers of 256 over 100 steps of 64 numbers."""
    n = Net(name)
    x = n.input("input", ["batch", 100, 64])
    y = n.node("Transpose", [x.name], perm=[1, 0, 2])
    size, wide = 256, 64
    # PyTorch's GRU resets after the product.
    attrs = {"linear_before_reset": 1} if op == "GRU" else {}
    for _ in range(2):
        def weight(*shape):
            return n.const(n.rng.standard_normal(shape, np.float32) *
                           np.float32(shape[-1] ** -0.5), "weight")
        bias = n.rng.standard_normal((1, 2 * gates * size), np.float32)
        outs = n.node(op, [
            y, weight(1, gates * size, wide), weight(1, gates * size, size),
            n.const(bias * np.float32(0.1), "bias")], gates - 1,
            hidden_size=size, **attrs)
        y, wide = n.node("Squeeze", [outs[0], n.ints(1)]), size
    y = n.node("Gather", [y, n.const(np.array(-1))], axis=0)
    n.output(n.gemm(Val(y, size, 0.0, 0.1), 10), "logits", ["batch", 10])
    return n


def gbdt():
    """500 boosted trees of depth 6 over 28 numbers, as XGBoost exports."""
    n = Net("gbdt", opset=15, ml=1)
    x = n.input("input", ["batch", 28])
    trees, inner, leaves, r = 500, 63, 64, n.rng
    nodes = inner + leaves
    at = np.arange(nodes)
    split = at < inner
    feature = np.where(split, r.integers(0, 28, (trees, nodes)), 0)
    value = np.where(split, r.normal(0, 0.7, (trees, nodes)), 0)
    weight = r.normal(0, 2 / math.sqrt(trees), (trees, leaves))
    tree = np.repeat(np.arange(trees), nodes)
    label, score = n.node(
        "TreeEnsembleClassifier", [x.name], 2, domain="ai.onnx.ml",
        base_values=[0.1], class_ids=[0] * (trees * leaves),
        class_nodeids=np.tile(at[inner:], trees).tolist(),
        class_treeids=np.repeat(np.arange(trees), leaves).tolist(),
        class_weights=weight.ravel().tolist(), classlabels_int64s=[0, 1],
        nodes_treeids=tree.tolist(), nodes_nodeids=np.tile(at, trees).tolist(),
        nodes_featureids=feature.ravel().tolist(),
        nodes_values=value.ravel().tolist(),
        nodes_modes=np.tile(np.where(split, "BRANCH_LT", "LEAF"),
                            trees).tolist(),
        nodes_truenodeids=np.tile(np.where(split, 2 * at + 1, 0),
                                  trees).tolist(),
        nodes_falsenodeids=np.tile(np.where(split, 2 * at + 2, 0),
                                   trees).tolist(),
        nodes_hitrates=[1.0] * (trees * nodes),
        nodes_missing_value_tracks_true=np.tile(
            split.astype(int), trees).tolist(),
        post_transform="LOGISTIC")
    n.output(label, "label", ["batch"], I64)
    n.output(score, "probabilities", ["batch", 2])
    return n


def dft():
    """The half spectrum of 1,024 real points."""
    n = Net("dft-1024")
    x = n.input("signal", ["batch", 1024, 1])
    n.output(n.node("DFT", [x.name], axis=1, onesided=1), "spectrum",
             ["batch", 513, 2])
    return n


def stft():
    """One second at 16 kHz: frames of 1,024 under a Hann window, hop 256."""
    n = Net("stft-1024")
    x = n.input("signal", ["batch", 16000, 1])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    n.output(n.node("STFT", [
        x.name, n.const(np.array(256)), n.const(hann.astype(np.float32)),
        n.const(np.array(1024))], onesided=1), "spectrum",
        ["batch", 59, 513, 2])
    return n


MODELS = {
    "resnet18": lambda: resnet("resnet18", [2, 2, 2, 2], False),
    "resnet50": lambda: resnet("resnet50", [3, 4, 6, 3], True),
    "resnet50-int8": lambda: resnet("resnet50-int8", [3, 4, 6, 3], True,
                                    QuantNet),
    "mobilenetv2": mobilenetv2,
    "mobilenetv2-int8": lambda: mobilenetv2("mobilenetv2-int8", QuantNet),
    "mobilenetv3-large": mobilenetv3_large,
    "efficientnet-b0": efficientnet_b0,
    "vgg16": vgg16,
    "yolov8n-like": yolov8n,
    "bert-base": lambda: bert("bert-base", 12, 768, 12, False, True),
    "minilm-l6": lambda: bert("minilm-l6", 6, 384, 12, True, False),
    "vit-b16": vit_b16,
    "mlp": mlp,
    "lstm": lambda: recurrent("lstm", "LSTM", 4),
    "gru": lambda: recurrent("gru", "GRU", 3),
    "gbdt": gbdt,
    "dft-1024": dft,
    "stft-1024": stft,
}

TOKENS = 128


def make(name, folder):
    """Writes the model unless it is there; returns its path."""
    path = os.path.join(folder, name + ".onnx")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        MODELS[name]().save(path)
    return path


def example_inputs(name, batch=1, seed=0):
    """Inputs that make sense for the model, by name."""
    r = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
    if name in ("bert-base", "minilm-l6"):
        shape = (batch, TOKENS)
        mask = np.ones(shape, np.int64)
        mask[:, TOKENS - 8:] = 0
        return {"input_ids": r.integers(0, 30522, shape, np.int64),
                "attention_mask": mask,
                "token_type_ids": np.zeros(shape, np.int64)}
    what, shape = {"yolov8n-like": ("images", (3, 640, 640)),
                   "mlp": ("input", (784,)), "lstm": ("input", (100, 64)),
                   "gru": ("input", (100, 64)),
                   "gbdt": ("input", (28,)),
                   "dft-1024": ("signal", (1024, 1)),
                   "stft-1024": ("signal", (16000, 1))}.get(name,
                                                 ("image", (3, 224, 224)))
    return {what: r.standard_normal((batch, *shape), np.float32)}


def chosen(only):
    """The models that a comma-separated list names; None means all."""
    if not only:
        return list(MODELS)
    names = [n for n in only.split(",") if n]
    for name in names:
        if name not in MODELS:
            sys.exit(f"no model '{name}'; there are: {', '.join(MODELS)}")
    return names


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--list", action="store_true", help="name the models")
    p.add_argument("--only", metavar="A,B", help="make these and no others")
    p.add_argument("-o", metavar="DIR", default="build/bench-models",
                   help="where to (default: build/bench-models)")
    args = p.parse_args()
    if args.list:
        print("\n".join(MODELS))
        return
    for name in chosen(args.only):
        path = make(name, args.o)
        print(f"{path}  {os.path.getsize(path) / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
