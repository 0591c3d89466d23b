#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verify every stored model against Python's answers.

Walks the test-data folder (models/*/ref/*/meta.json, the scikit-learn models,
test_data_set_* folders beside a model), and for each case runs
`tenon verify` at several CPU masks and thread counts: within tolerance, and
with the same bits for every number of threads. Only the standard library is
needed. Ends with "N passed, N failed".
"""
import argparse
import concurrent.futures
import glob
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

# Stored answers that are themselves wrong, each with the reason. They are
# reported, not counted.
FAULTS = {
    "models/shufflenet-v2-int8/shufflenet-v2-12-int8.onnx":
        "the recorded output has uint8 x int8 sums saturated to 16 bits "
        "(AVX2 pmaddubsw); exact integer arithmetic and ref/ agree",
}

# Small graphs that are not met, each with the reason. They are reported too.
RANDOM = "random bits of its own"
INVALID = "the model is invalid; ONNX Runtime takes it all the same"
BEAM = "beam search and shared caches are not supported"
for _source, _reason, _names in (
        ("burn-onnx", RANDOM, (
            "onnx-tests__tests__bernoulli__bernoulli",
            "onnx-tests__tests__random_normal_like__random_normal_like",
            "onnx-tests__tests__random_uniform__random_uniform",
            "onnx-tests__tests__random_uniform_like__random_uniform_like")),
        ("burn-onnx", "masked scores are -inf, as ONNX says, not the least "
         "float", ("onnx-tests__tests__attention__attention_qk_output_2",)),
        ("migraphx", RANDOM, (
            "multinomial_autoseed_dyn_test", "multinomial_generated_seed_test",
            "multinomial_int64_test", "randomnormal_test",
            "randomnormallike_test", "randomuniform_test",
            "randomuniformlike_test")),
        ("migraphx", INVALID, (
            "celu_zero_alpha_test", "group_norm_invalid_scale_shape_test",
            "mvn_default_axes_rank_too_small_test",
            "scatter_elements_invalid_reduction_test")),
        ("migraphx", BEAM, ("mha_past_key_value_bias_seq_len_test",)),
        ("migraphx", "sorted=0 leaves the order open", ("topk_neg_axis_test",)),
        ("onnx2tf", "two initializers are written by the node as well",
         ("BatchNorm1D_15",)),
        ("onnx2tf", "an inverse shorter than its spectrum is cut as in NumPy",
         ("DFT_17_irfft", "DFT_20_irfft")),
        ("ort", BEAM, (
            "dmmha_inside_mha_cross_attn", "dmmha_inside_mha_self_attn",
            "dummy_t5_with_outer_scope_initializers",
            "dummy_t5_with_sequence_input_ids",
            "dummy_whisper_with_sequence_input_ids")),
        ("ort", "17 dimensions; the limit is 16",
         ("test_shape_data_propagation_unsqueeze_inmemory_int64",)),
        ("ort", RANDOM, ("transform__multinomial_float16",))):
    for _name in _names:
        FAULTS["models-micro/%s/ref/%s" % (_source, _name)] = _reason

# --- writing values ---------------------------------------------------------


def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def tensor_pb(value):
    """A TensorProto from {"dtype", "shape", "data"}."""
    codes = {"float32": (1, "<f"), "int64": (7, "<q"), "float64": (11, "<d"),
             "int32": (6, "<i")}
    out = b"".join(varint(1 << 3) + varint(d) for d in value["shape"])
    data = value["data"]
    if value["dtype"] == "string":
        out += varint(2 << 3) + varint(8)
        return out + b"".join(field(6, s.encode()) for s in data)
    code, form = codes[value["dtype"]]
    out += varint(2 << 3) + varint(code)
    return out + field(9, b"".join(struct.pack(form, x) for x in data))


# Element types that NumPy lacks are stored as the integers of their bits.
BITS = {"bfloat16": 16, "float8e4m3fn": 17, "float8e4m3fnuz": 18,
        "float8e5m2": 19, "float8e5m2fnuz": 20}


def bits_pb(path, dtype, shape):
    """A TensorProto of the bits in an .npy file."""
    with open(path, "rb") as f:
        f.seek(8)
        header, = struct.unpack("<H", f.read(2))
        f.seek(10 + header)
        data = f.read()
    out = b"".join(varint(1 << 3) + varint(d) for d in shape)
    return out + varint(2 << 3) + varint(BITS[dtype]) + field(9, data)


def map_pb(value):
    """A MapProto from {"map": [keys, values]}."""
    keys, values = value["map"]
    out = varint(2 << 3) + varint(8 if keys["dtype"] == "string" else 7)
    if keys["dtype"] == "string":
        out += b"".join(field(4, s.encode()) for s in keys["data"])
    else:
        out += field(3, b"".join(varint(k) for k in keys["data"]))
    sequence = varint(2 << 3) + varint(1)
    for x in values["data"]:
        one = {"dtype": values["dtype"], "shape": [], "data": [x]}
        sequence += field(3, tensor_pb(one))
    return out + field(5, sequence)


def write_value(value, stem):
    if "map" in value:
        with open(stem + ".pb", "wb") as f:
            f.write(map_pb(value))
    else:
        with open(stem + ".pb", "wb") as f:
            f.write(tensor_pb(value))


# --- cases --------------------------------------------------------------------


class Case:
    def __init__(self, name, model, folder, atol, kept, containers=()):
        self.name, self.model, self.folder = name, model, folder
        self.atol, self.kept, self.containers = atol, kept, containers


def stage(tmp, name, where, inputs, outputs):
    """A folder with the values of a case under their names."""
    folder = os.path.join(tmp, name.replace("/", "__"))
    os.makedirs(folder)
    containers = []
    for shape, value_name, path, *dtype in inputs + outputs:
        stem = os.path.join(folder, value_name.replace("/", "_"))
        if os.path.lexists(stem + ".npy"):  # an output that is an input
            stem = os.path.join(folder, os.path.splitext(path)[0])
        path = os.path.join(where, path)
        if dtype and dtype[0] in BITS:
            with open(stem + ".pb", "wb") as f:
                f.write(bits_pb(path, dtype[0], shape))
            continue
        if path.endswith(".npy"):
            os.symlink(os.path.abspath(path), stem + ".npy")
            continue
        with open(path, encoding="utf-8") as f:
            value = json.load(f)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            containers.append((value_name, value))
            continue
        if isinstance(value, list):
            value = {"dtype": "string", "shape": shape, "data": value}
        write_value(value, stem)
    return folder, containers


def ref_cases(root, tmp):
    for path in sorted(glob.glob(root + "/models/*/ref/*/meta.json") +
                       glob.glob(root + "/models-micro/*/ref/*/meta.json")):
        with open(path, encoding="utf-8") as f:
            meta = json.load(f)
        where = os.path.dirname(path)
        model = os.path.join(root, meta["model"])
        if not os.path.exists(model) or not meta.get("deterministic", True):
            yield os.path.relpath(where, root), None
            continue
        name = os.path.relpath(where, root)
        values = [[(v.get("shape"), v.get("name") or os.path.splitext(v["file"])[0],
                    v["file"], v.get("dtype"))
                   for v in meta[k]]
                  for k in ("inputs", "outputs")]
        folder, containers = stage(tmp, name, where, *values)
        difference = meta.get("opt_vs_noopt", {}).get("maxabs") or 0.0
        atol = max(1e-4, 2 * float(difference))
        yield name, Case(name, model, folder, atol, True, containers)


def sklearn_cases(root, tmp):
    for path in sorted(glob.glob(root + "/models/sklearn-generated/*/meta.json")):
        with open(path, encoding="utf-8") as f:
            meta = json.load(f)
        where = os.path.dirname(path)
        name = os.path.relpath(where, root)
        outputs = [(v["shape"], v["name"], v["file"]) for v in meta["outputs"]]
        inputs = []
        for value in meta["inputs"]:
            found = [f for f in ("input_%s.npy" % value, "input_%s.json" % value)
                     if os.path.exists(os.path.join(where, f))]
            inputs.append((None, value, found[0]))
        if not outputs:
            continue
        folder, containers = stage(tmp, name, where, inputs, outputs)
        yield name, Case(name, os.path.join(where, "model.onnx"), folder, 1e-4,
                         True, containers)


def folder_cases(root, tmp):
    for path in sorted(glob.glob(root + "/models/**/test_data_set_0",
                                 recursive=True)):
        where = os.path.dirname(path)
        for model in sorted(glob.glob(where + "/*.onnx")):
            name = os.path.relpath(model, root)
            yield name, Case(name, model, where, 1e-4, False)
    light = root + "/onnx-light"
    for path in sorted(glob.glob(light + "/*_output_0.pb")):
        model = path.replace("_output_0.pb", ".onnx")
        name = os.path.relpath(model, root)
        folder = os.path.join(tmp, os.path.basename(model))
        os.makedirs(folder)
        os.symlink(os.path.abspath(light + "/input_0.npy"),
                   folder + "/input_0.npy")
        os.symlink(os.path.abspath(path), folder + "/output_0.pb")
        yield name, Case(name, model, folder, 1e-4, True)


# --- running ------------------------------------------------------------------


def close(a, b, rtol, atol):
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return abs(a - b) <= atol + rtol * abs(b)


def check_container(got, want, rtol, atol):
    """A sequence from `tenon run --json` against the stored one."""
    items = got["items"]
    if len(items) != len(want):
        return "found %d items, expected %d" % (len(items), len(want))
    for item, expected in zip(items, want):
        if "data" in expected and "items" in item:  # in an optional
            item = item["items"][0]
        if "map" not in expected:
            found, data = item["values"], expected["data"]
            if len(found) != len(data) or not all(
                    close(a, b, rtol, atol) for a, b in zip(found, data)):
                return "found %s, expected %s" % (found[:5], data[:5])
            continue
        pairs = dict(zip(item["items"][0]["values"], item["items"][1]["values"]))
        keys, values = expected["map"]
        keys = keys if isinstance(keys, list) else keys["data"]
        expected = dict(zip(keys, values["data"]))
        if set(pairs) != set(expected):
            return "keys differ: %s, expected %s" % (list(pairs)[:5],
                                                     list(expected)[:5])
        for key, value in expected.items():
            if not close(pairs[key], value, rtol, atol):
                return "key %s: found %s, expected %s" % (key, pairs[key], value)
    return None


def run(command):
    return subprocess.run(command, capture_output=True, text=True,
                          errors="replace", timeout=600)


def verify(tenon, case, isa, threads, rtol):
    """An error text or None, and the digests of the outputs."""
    flags = ["--isa", isa, "--threads", str(threads), "--json"]
    digests = []
    if any(os.scandir(case.folder)) if os.path.isdir(case.folder) else True:
        plain = not case.containers or has_plain_outputs(case)
        if plain:
            r = run([tenon, "verify", case.model, case.folder, "--rtol",
                     str(rtol), "--atol", str(case.atol)] + flags)
            if r.returncode not in (0, 1):
                return (r.stderr.strip() or "exit %d" % r.returncode), digests
            result = json.loads(r.stdout)
            for c in result["cases"]:
                for output in c["outputs"]:
                    digests.append(output["digest"])
                    if not output["ok"]:
                        what = output.get("error") or "max abs %s, rel %s" % (
                            output["max_abs"], output["max_rel"])
                        return "%s: %s" % (output["name"], what), digests
    if case.containers:
        files = [f for f in sorted(os.listdir(case.folder))]
        outputs = {name for name, _ in case.containers}
        arguments = []  # the inputs, by name
        inspected = json.loads(run([tenon, "inspect", case.model, "--json"]).stdout)
        for value in inspected["inputs"]:
            stem = value["name"].replace("/", "_")
            for f in files:
                if os.path.splitext(f)[0] == stem:
                    arguments.append("%s=%s" % (value["name"],
                                                os.path.join(case.folder, f)))
        r = run([tenon, "run", case.model] + arguments + flags)
        if r.returncode != 0:
            return r.stderr.strip(), digests
        for output in json.loads(r.stdout)["outputs"]:
            if output["name"] in outputs:
                want = dict(case.containers)[output["name"]]
                error = check_container(output, want, rtol, case.atol)
                if error:
                    return "%s: %s" % (output["name"], error), digests
                digests.append(json.dumps(output["items"]))
    return None, digests


def has_plain_outputs(case):
    with open(os.path.join(case.folder, ".plain"), encoding="utf-8") as f:
        return f.read() == "1"


def verify_all(tenon, case, isas, threads, rtol):
    for isa in isas:
        bits = None
        for n in threads:
            try:
                error, digests = verify(tenon, case, isa, n, rtol)
            except (subprocess.TimeoutExpired, ValueError, KeyError) as e:
                error, digests = "%s: %s" % (type(e).__name__, e), []
            if error:
                return "%s, %d threads: %s" % (isa, n, error)
            if bits is not None and digests != bits:
                return "%s: other bits with %d threads" % (isa, n)
            bits = digests
    return None


def distinct(tenon, isas):
    """The masks without "native" where that is one of the others."""
    found = json.loads(run([tenon, "version", "--json"]).stdout)["cpu_found"]
    return [isa for isa in isas if isa != "native" or found not in isas]


def fingerprint(a):
    """Of all that the outcome depends on: the command, the CPU it finds, this
    file, the options and the test data (by names, sizes and times)."""
    h = hashlib.sha256(repr((a.isa, a.threads, a.rtol, a.only)).encode())
    h.update(subprocess.run([a.tenon, "version", "--json"], check=True,
                            capture_output=True).stdout)
    for path in (a.tenon, __file__):
        with open(path, "rb") as f:
            h.update(f.read())
    for kind in ("models", "models-micro", "onnx-light"):
        for where, folders, files in os.walk(os.path.join(a.root, kind)):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(where, name)
                state = os.stat(path)
                h.update(repr((path, state.st_size, state.st_mtime_ns)).encode())
    return h.hexdigest()


def stamped(a):
    """The number of models that passed when nothing was different."""
    try:
        with open(a.stamp, encoding="utf-8") as f:
            found, passed = f.read().split()
    except (OSError, ValueError):
        return None
    return int(passed) if found == fingerprint(a) else None


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("tenon")
    p.add_argument("root", help="the test-data folder")
    p.add_argument("--isa", default="ref,avx2,native")
    p.add_argument("--threads", default="1,2,4")
    p.add_argument("--rtol", type=float, default=1e-3)
    p.add_argument("--only", default="")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--stamp", default="",
                   help="file that remembers a pass: nothing is run again "
                        "while the command and the data are the same")
    a = p.parse_args()
    if not os.path.isdir(os.path.join(a.root, "models")):
        print("skipped: no test data at the given folder")
        print("0 passed, 0 failed")
        return 0
    before = stamped(a) if a.stamp else None
    if before is not None:
        print("nothing is different since all passed; remove %s to run them "
              "again" % a.stamp)
        print("%d passed, 0 failed" % before)
        return 0
    tmp = tempfile.mkdtemp(prefix="tenon-models-")
    passed, failed, skipped, faults = 0, [], [], []
    try:
        cases = []
        for maker in (ref_cases, sklearn_cases, folder_cases):
            for name, case in maker(a.root, tmp):
                if a.only and a.only not in name:
                    continue
                if case is None:
                    skipped.append(name)
                else:
                    cases.append(case)
        for case in cases:
            if case.containers:
                staged = {os.path.splitext(f)[0] for f in os.listdir(case.folder)}
                inspected = run([a.tenon, "inspect", case.model, "--json"])
                try:
                    outputs = json.loads(inspected.stdout)["outputs"]
                except ValueError:
                    outputs = []
                plain = any(o["name"].replace("/", "_") in staged for o in outputs)
                with open(os.path.join(case.folder, ".plain"), "w",
                          encoding="utf-8") as f:
                    f.write("1" if plain else "0")
        isas = distinct(a.tenon, a.isa.split(","))
        threads = [int(t) for t in a.threads.split(",")]
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
            jobs = {pool.submit(verify_all, a.tenon, c, isas, threads, a.rtol): c
                    for c in cases}
            for job in concurrent.futures.as_completed(jobs):
                error = job.result()
                if error and jobs[job].name in FAULTS:
                    faults.append(jobs[job].name)
                elif error:
                    failed.append((jobs[job].name, error))
                else:
                    passed += 1
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
    for name, error in sorted(failed):
        print("FAIL %s\n     %s" % (name, error.replace("\n", "\n     ")))
    for name in faults:
        print("not met: %s: %s" % (name, FAULTS[name]))
    for name in skipped:
        print("skipped %s: its model is not here or its answers are random" % name)
    print("%d passed, %d failed" % (passed, len(failed)))
    if a.stamp and not failed:
        with open(a.stamp, "w", encoding="utf-8") as f:
            f.write("%s %d\n" % (fingerprint(a), passed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
