# SPDX-License-Identifier: Apache-2.0
"""answers.py - keep a model's own Python answers beside its exported file.

The training scripts call save_answers() with what the *training framework*
predicted. Nothing here goes through an ONNX runtime, so the stored answers
are an independent truth: `tenon verify model.onnx cases` then says whether the
exported file still gives Python's numbers.

As a command it asks ONNX Runtime the same question, for a second opinion:

    python examples/answers.py examples/*/
"""

import os
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def tidy(path):
    """Drops what exporters record about the exporting machine, and gives the
    free first extent its name."""
    model = onnx.load(path)
    model.graph.name = os.path.basename(os.path.dirname(path))
    for value in [*model.graph.input, *model.graph.output]:
        dims = value.type.tensor_type.shape.dim
        if dims and not dims[0].HasField("dim_value"):
            dims[0].dim_param = "batch"
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        graph.doc_string = ""
        del graph.metadata_props[:]
        for item in [*graph.input, *graph.output, *graph.value_info,
                     *graph.initializer]:
            item.doc_string = ""
            del item.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
            for a in node.attribute:
                graphs += [a.g] if a.HasField("g") else list(a.graphs)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _proto(name, value):
    """A tensor, or (for ZipMap) a list of {label: score}, as a protobuf."""
    if isinstance(value, list):
        maps = []
        for row in value:
            keys = list(row)
            text = isinstance(keys[0], str)
            scores = np.array([row[k] for k in keys], np.float32)
            maps.append(helper.make_map(
                "", TensorProto.STRING if text else TensorProto.INT64,
                [k.encode() for k in keys] if text else keys,
                helper.make_sequence("", onnx.SequenceProto.TENSOR,
                                     [numpy_helper.from_array(s)
                                      for s in scores])))
        return helper.make_sequence(name, onnx.SequenceProto.MAP, maps)
    value = np.asarray(value)
    if value.dtype.kind in "UO":
        value = value.astype(object)
    return numpy_helper.from_array(value, name)


def _save(path, proto):
    with open(path, "wb") as f:
        f.write(proto.SerializeToString(deterministic=True))


def save_answers(folder, cases):
    """Writes cases/test_data_set_*/ and cases.npz.

    folder: the example's folder; model.onnx is there already
    cases:  list of (inputs, outputs), each a dict from the names in the
            model to numpy arrays (or lists of dicts, for ZipMap outputs)
    """
    graph = onnx.load(os.path.join(folder, "model.onnx")).graph
    root = os.path.join(folder, "cases")
    shutil.rmtree(root, ignore_errors=True)
    for i, (inputs, outputs) in enumerate(cases):
        case = os.path.join(root, f"test_data_set_{i}")
        os.makedirs(case)
        for kind, names, values in (
                ("input", [v.name for v in graph.input], inputs),
                ("output", [v.name for v in graph.output], outputs)):
            assert sorted(names) == sorted(values), (names, list(values))
            for j, name in enumerate(names):
                _save(os.path.join(case, f"{kind}_{j}.pb"),
                      _proto(name, values[name]))
    # The same answers by name, as `numpy.savez` users keep them. An .npz
    # holds arrays of numbers only: no text, no dictionaries.
    def numbers(values):
        return {k: v for k, v in values.items() if not isinstance(v, list)
                and np.asarray(v).dtype.kind in "fiub"}

    inputs, outputs = (numbers(v) for v in cases[0])
    if len(inputs) == len(cases[0][0]) and outputs:
        np.savez(os.path.join(folder, "cases.npz"), **inputs, **outputs)


def save_sample(folder, name, value):
    """One input as a file that `tenon run model.onnx INPUT=FILE` takes."""
    path = os.path.join(folder, "samples")
    os.makedirs(path, exist_ok=True)
    value = np.asarray(value)
    if value.dtype.kind == "O":
        value = value.astype(str)
    np.save(os.path.join(path, name + ".npy"), value)


def save_labels(folder, labels):
    with open(os.path.join(folder, "labels.txt"), "w") as f:
        f.writelines(f"{label}\n" for label in labels)


def _load(path, type_proto):
    with open(path, "rb") as f:
        data = f.read()
    if type_proto.HasField("sequence_type"):
        rows = onnx.SequenceProto.FromString(data).map_values
        return [dict(zip([k.decode() for k in m.string_keys] or m.keys,
                         (float(numpy_helper.to_array(t))
                          for t in m.values.tensor_values))) for m in rows]
    return numpy_helper.to_array(TensorProto.FromString(data))


def difference(got, want):
    """Largest absolute difference; inf if labels, shapes or keys differ."""
    if isinstance(want, list):
        if len(got) != len(want) or any(
                set(g) != set(w) for g, w in zip(got, want)):
            return float("inf")
        return max(abs(g[k] - w[k]) for g, w in zip(got, want) for k in w)
    if got.shape != want.shape:
        return float("inf")
    if want.dtype.kind in "UOSb":
        return 0.0 if (got.astype(object) == want.astype(object)).all() \
            else float("inf")
    return float(np.max(np.abs(got.astype(np.float64) - want), initial=0))


def second_opinion(folder):
    """Largest difference of ONNX Runtime from the stored answers."""
    import onnxruntime as ort
    path = os.path.join(folder, "model.onnx")
    graph = onnx.load(path).graph
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = {}
    for case in sorted(os.listdir(os.path.join(folder, "cases"))):
        case = os.path.join(folder, "cases", case)
        feed = {v.name: _load(os.path.join(case, f"input_{j}.pb"), v.type)
                for j, v in enumerate(graph.input)}
        for j, (v, got) in enumerate(zip(graph.output,
                                         session.run(None, feed))):
            want = _load(os.path.join(case, f"output_{j}.pb"), v.type)
            worst[v.name] = max(worst.get(v.name, 0.0), difference(got, want))
    return worst


if __name__ == "__main__":
    failed = False
    for example in sys.argv[1:]:
        if not os.path.exists(os.path.join(example, "model.onnx")):
            continue
        for output, value in second_opinion(example).items():
            failed |= not value <= 1e-4
            print(f"{example:28s} {output:20s} "
                  f"ONNX Runtime differs by at most {value:.2g}")
    sys.exit(failed)
