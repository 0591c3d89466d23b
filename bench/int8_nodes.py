#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where layers of 8 bits are slower than the same layers in float32.

usage: bench/int8_nodes.py [--tenon PATH] [--seconds S] [--rounds N]

Six equal layers in a row, as QDQ nodes and in float32, each timed by `tenon
bench` with one thread, in turns; what is printed is a table of the least times
and their ratio (above 1: 8 bits are faster). Weights have 7 bits. Needs onnx and
numpy.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS = 6
# channels, height and width, kernel, groups are the channels or one
CONVOLUTIONS = [
    (16, 112, 1, False), (16, 112, 3, False), (32, 56, 1, False), (64, 56, 1, False),
    (64, 56, 3, False), (128, 28, 3, False), (256, 14, 1, False), (256, 14, 3, False),
    (512, 7, 1, False), (512, 7, 3, False), (960, 7, 1, False), (32, 112, 3, True),
    (96, 56, 3, True), (144, 28, 5, True), (384, 14, 3, True), (960, 7, 3, True),
    (960, 7, 5, True),
]
# rows, columns (as many as terms)
PRODUCTS = [(1, 64), (1, 256), (1, 1024), (8, 256), (32, 512), (128, 384), (128, 768)]


class Chain:
    """A graph of equal layers; `quantised` puts QuantizeLinear pairs between."""

    def __init__(self, quantised):
        self.quantised = quantised
        self.nodes, self.constants = [], []
        self.constant("scale", np.float32(0.02))
        self.constant("zero", np.uint8(128))
        self.constant("w_scale", np.float32(0.01))
        self.constant("w_zero", np.int8(0))
        self.last = "x"
        self.pair()

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))

    def node(self, kind, inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def pair(self):
        if self.quantised:
            codes = self.node("QuantizeLinear", [self.last, "scale", "zero"])
            self.last = self.node("DequantizeLinear", [codes, "scale", "zero"])

    def layer(self, kind, codes, **attributes):
        weights = f"w{len(self.nodes)}"
        if self.quantised:
            self.constant(weights, codes)
            weights = self.node("DequantizeLinear", [weights, "w_scale", "w_zero"])
        else:
            self.constant(weights, codes.astype(np.float32) * np.float32(0.01))
        self.last = self.node(kind, [self.last, weights], **attributes)
        self.pair()

    def save(self, path, shape):
        self.nodes.append(helper.make_node("Identity", [self.last], ["y"]))
        graph = helper.make_graph(
            self.nodes, "chain",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            self.constants)
        onnx.save(helper.make_model(graph, ir_version=8,
                                    opset_imports=[helper.make_opsetid("", 17)]), path)


def convolutions(path, quantised, rng, channels, side, kernel, depthwise):
    chain = Chain(quantised)
    groups = channels if depthwise else 1
    codes = rng.integers(-63, 64, (channels, channels // groups, kernel, kernel), np.int8)
    for _ in range(LAYERS):
        chain.layer("Conv", codes, kernel_shape=[kernel] * 2, group=groups,
                    pads=[kernel // 2] * 4)
    chain.save(path, [1, channels, side, side])


def products(path, quantised, rng, rows, columns):
    chain = Chain(quantised)
    codes = rng.integers(-63, 64, (columns, columns), np.int8)
    for _ in range(LAYERS):
        chain.layer("MatMul", codes)
    chain.save(path, [rows, columns])


def least(tenon, seconds, path):
    out = subprocess.run([tenon, "bench", str(path), "--threads", "1", "--seconds",
                          str(seconds), "--json"], check=True, capture_output=True)
    return json.loads(out.stdout)["min_ms"] / LAYERS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenon", default="build/tenon")
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    cases = [(convolutions, c, f"{'depthwise ' if c[3] else ''}{c[2]}x{c[2]}, "
              f"{c[0]} channels, {c[1]}x{c[1]}") for c in CONVOLUTIONS]
    cases += [(products, p, f"product, {p[0]} x {p[1]} x {p[1]}") for p in PRODUCTS]
    print("| layer | float32 ms | 8 bits ms | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for make, shape, label in cases:
            paths = [pathlib.Path(folder) / "f.onnx", pathlib.Path(folder) / "q.onnx"]
            for quantised, path in enumerate(paths):
                make(path, bool(quantised), np.random.default_rng(0), *shape)
            times = [[least(args.tenon, args.seconds, p) for p in paths]
                     for _ in range(args.rounds)]
            f, q = (min(t[i] for t in times) for i in range(2))
            print(f"| {label} | {f:.4f} | {q:.4f} | {f / q:.2f} |", flush=True)


if __name__ == "__main__":
    main()
