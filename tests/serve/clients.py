#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clients.py - Triton's unmodified Python clients against `tenon serve`

    clients.py TENON BUILD_FOLDER

Makes a scratch environment with the packages of requirements.txt (skipped, and
said so, where pip has no network) and runs itself there. Inference with every
data type by JSON, binary tensors and gRPC, sync, async and streamed, raw bodies,
loading, statistics, errors; then 20 reloads and a SIGTERM under load, in which no
request may fail. Ends with "N passed, N failed".
"""
import asyncio
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
DIGITS = os.path.join(HERE, "../../examples/digits-pytorch/model.onnx")
results = {"passed": 0, "failed": 0}


def check(what, run):
    try:
        run()
    except Exception as e:  # whatever a client raises is a failure
        results["failed"] += 1
        print("FAIL %s: %s: %s" % (what, type(e).__name__, str(e)[:400]))
    else:
        results["passed"] += 1
        print("ok   %s" % what)
    sys.stdout.flush()


# --- a model of every data type: what comes in goes out ----------------------

# Name on the wire, of NumPy, in ONNX.
TYPES = [("BOOL", "bool", 9), ("UINT8", "uint8", 2), ("UINT16", "uint16", 4),
         ("UINT32", "uint32", 12), ("UINT64", "uint64", 13), ("INT8", "int8", 3),
         ("INT16", "int16", 5), ("INT32", "int32", 6), ("INT64", "int64", 7),
         ("FP16", "float16", 10), ("FP32", "float32", 1), ("FP64", "float64", 11),
         ("BYTES", "object", 8)]


def varint(v):
    out = b""
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def value_info(name, dtype):
    shape = field(1, field(2, "n")) + field(1, field(1, 3))
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, shape)))


def identity(path):
    graph = field(2, "g")
    for wire, _, onnx in TYPES:
        graph += field(1, field(1, "in_" + wire) + field(2, "out_" + wire)
                       + field(4, "Identity"))
        graph += field(11, value_info("in_" + wire, onnx))
        graph += field(12, value_info("out_" + wire, onnx))
    with open(path, "wb") as f:
        f.write(field(1, 8) + field(7, graph) + field(8, field(2, 17)))


def values(np, wire, numpy):
    if wire == "BYTES":
        return np.array([[b"a", b"", "é".encode()], [b"x" * 300, b"\"", b"0"]], "object")
    if wire == "BOOL":
        return np.array([[True, False, True], [False, False, True]])
    if wire.startswith("FP"):
        return np.array([[0.5, -1.25, 3], [1e-3, 0, 100]], numpy)
    i = np.iinfo(numpy)
    return np.array([[i.min, i.max, 0], [1, 2, 3]], numpy)


# --- the server --------------------------------------------------------------

class Server:
    def __init__(self, tenon, folder, *args):
        self.port_file = os.path.join(folder, "port")
        self.log = open(os.path.join(folder, "log"), "w", encoding="utf-8")
        if os.path.exists(self.port_file):
            os.remove(self.port_file)
        self.process = subprocess.Popen(
            [tenon, "serve", "--port", "0", "--port-file", self.port_file,
             "--log-level", "error", *args], stdout=self.log, stderr=self.log)
        end = time.time() + 20
        while time.time() < end and not os.path.exists(self.port_file):
            time.sleep(0.01)
        with open(self.port_file, encoding="ascii") as f:
            self.url = "127.0.0.1:%d" % int(f.read())
        while time.time() < end and self.ready() != 200:
            time.sleep(0.01)

    def ready(self):
        try:
            with urllib.request.urlopen("http://%s/v2/health/ready" % self.url) as r:
                return r.status
        except urllib.error.HTTPError as e:
            return e.code

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.log.close()
        if code != 0:
            raise AssertionError("the server ended with %d" % code)


# --- what is asked -----------------------------------------------------------

def inputs_of(np, client, binary=None):
    made = []
    for wire, numpy, _ in TYPES:
        if binary is False and wire == "FP16":
            continue
        v = values(np, wire, numpy)
        x = client.InferInput("in_" + wire, list(v.shape), wire)
        if binary is None:
            x.set_data_from_numpy(v)
        else:
            x.set_data_from_numpy(v, binary_data=binary)
        made.append(x)
    return made


def compare(np, result, skip=()):
    for wire, numpy, _ in TYPES:
        if wire in skip:
            continue
        want = values(np, wire, numpy)
        got = result.as_numpy("out_" + wire)
        if got is None or got.shape != want.shape:
            raise AssertionError("%s: %r" % (wire, got))
        if wire == "BYTES":
            got = np.array([x.encode() if isinstance(x, str) else x
                            for x in got.ravel()], "object").reshape(got.shape)
        if not (got == want).all():
            raise AssertionError("%s: %r, expected %r" % (wire, got, want))


def expect_error(client, run, says):
    try:
        run()
    except client.InferenceServerException as e:
        if says not in str(e):
            raise AssertionError("says %r, expected %r" % (str(e), says)) from e
        return
    raise AssertionError("no error")


def common(np, client, c, kind):
    def meta():
        assert c.is_server_live() and c.is_server_ready() and c.is_model_ready("all")
        assert not c.is_model_ready("nobody")
        m = c.get_model_metadata("all")
        names = [x["name"] for x in m["inputs"]] if kind == "http" else \
            [x.name for x in m.inputs]
        assert names == ["in_" + t[0] for t in TYPES], names
        c.get_server_metadata()
        c.get_model_config("all")
        c.get_model_repository_index()
    check(kind + ": health, metadata, configuration, index", meta)
    check(kind + ": every data type, binary",
          lambda: compare(np, c.infer("all", inputs_of(np, client))))

    def statistics():
        s = c.get_inference_statistics("all")
        n = s["model_stats"][0]["inference_count"] if kind == "http" else \
            s.model_stats[0].inference_count
        assert n >= 2, s
    check(kind + ": statistics", statistics)
    check(kind + ": an unknown model is an error",
          lambda: expect_error(client, lambda: c.infer("nobody", []), "nobody"))

    def wrong_shape():
        x = client.InferInput("image", [1, 2], "FP32")
        x.set_data_from_numpy(np.zeros((1, 2), "float32"))
        expect_error(client, lambda: c.infer("digits", [x]), "image")
    check(kind + ": a wrong shape is an error", wrong_shape)

    def loading():
        c.unload_model("digits")
        assert not c.is_model_ready("digits")
        c.load_model("digits")
        assert c.is_model_ready("digits")
        expect_error(client, lambda: c.load_model("nobody"), "nobody")
    check(kind + ": unload and load", loading)


def http(np, server):
    import tritonclient.http as client
    import tritonclient.http.aio as aio
    c = client.InferenceServerClient(server.url)
    outputs = [client.InferRequestedOutput("out_" + t[0], binary_data=t[0] == "FP16")
               for t in TYPES]
    check("http: every data type, JSON", lambda: compare(
        np, c.infer("all", inputs_of(np, client, False)
                    + [x for x in inputs_of(np, client) if x.name() == "in_FP16"],
                    outputs=outputs)))
    common(np, client, c, "http")

    def raw():
        x = np.full((1, 1, 8, 8), 0.5, "float32").tobytes()
        r = urllib.request.urlopen(urllib.request.Request(
            "http://%s/v2/models/digits/infer" % server.url, x,
            {"Inference-Header-Content-Length": "0"}))
        head = int(r.headers["Inference-Header-Content-Length"])
        body = r.read()
        logits = struct.unpack("<10f", body[head:head + 40])
        assert all(abs(v) < 100 for v in logits) and len(body) == head + 80
    check("http: a raw body", raw)

    async def run():
        a = aio.InferenceServerClient(server.url)
        try:
            made = await asyncio.gather(*(a.infer("all", inputs_of(np, aio))
                                          for _ in range(16)))
            for r in made:
                compare(np, r)
        finally:
            await a.close()
    check("http: 16 at a time, async", lambda: asyncio.run(run()))
    for how in ("gzip", "deflate"):
        check("http: packed with " + how, lambda how=how: compare(np, c.infer(
            "all", inputs_of(np, client), request_compression_algorithm=how,
            response_compression_algorithm=how)))
    c.close()


def grpc(np, server):
    import tritonclient.grpc as client
    import tritonclient.grpc.aio as aio
    c = client.InferenceServerClient(server.url)
    common(np, client, c, "grpc")

    def stream():
        got, done = [], threading.Event()

        def answer(result, error):
            got.append((result, error))
            if len(got) == 20:
                done.set()
        c.start_stream(answer)
        for i in range(20):
            c.async_stream_infer("all", inputs_of(np, client), request_id=str(i))
        assert done.wait(20), len(got)
        c.stop_stream()
        for result, error in got:
            assert error is None, error
            compare(np, result)
    check("grpc: 20 in a stream", stream)

    async def run():
        a = aio.InferenceServerClient(server.url)
        for r in await asyncio.gather(*(a.infer("all", inputs_of(np, aio))
                                        for _ in range(16))):
            compare(np, r)
        await a.close()
    check("grpc: 16 at a time, async", lambda: asyncio.run(run()))
    check("grpc: packed with gzip", lambda: compare(np, c.infer(
        "all", inputs_of(np, client), compression_algorithm="gzip")))
    c.close()


class Load:
    """Clients that ask until they are told to stop; each failure is kept."""

    def __init__(self, np, server, n=4):
        import tritonclient.http as client
        self.stop, self.failed, self.done = threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.run, args=(np, client, server.url))
                        for _ in range(n)]
        for t in self.threads:
            t.start()

    def run(self, np, client, url):
        c = client.InferenceServerClient(url)
        x = client.InferInput("image", [1, 1, 8, 8], "FP32")
        x.set_data_from_numpy(np.zeros((1, 1, 8, 8), "float32"))
        while not self.stop.is_set():
            try:
                c.infer("digits", [x])
                self.done += 1
            except Exception as e:
                self.failed.append(e)
        c.close()

    def end(self, least):
        self.stop.set()
        for t in self.threads:
            t.join()
        if self.failed or self.done < least:
            raise AssertionError("%d done, %d failed: %s" % (
                self.done, len(self.failed), self.failed[:1]))


def reloads(np, server):
    import tritonclient.http as client
    c = client.InferenceServerClient(server.url)
    load = Load(np, server)
    try:
        for _ in range(20):
            c.load_model("digits")
            time.sleep(0.05)
    finally:
        load.end(100)
    c.close()


def lame_duck(np, server):
    load = Load(np, server)
    try:
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        end = time.time() + 5
        # A balancer: it sends elsewhere once the server is not ready.
        while server.ready() == 200 and time.time() < end:
            time.sleep(0.02)
        time.sleep(0.3)
    finally:
        load.end(100)
    assert server.process.wait(timeout=30) == 0


def inside(tenon):
    import numpy as np
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "all.onnx")
        identity(model)
        explicit = ("all=" + model, "digits=" + DIGITS, "--reload", "explicit",
                    "--load", "*", "--drain-delay", "0")
        server = Server(tenon, folder, *explicit)
        http(np, server)
        grpc(np, server)
        check("20 reloads under load", lambda: reloads(np, server))
        check("the server ends with 0", server.end)
        server = Server(tenon, folder, "digits=" + DIGITS, "--drain-delay", "1.5")
        check("SIGTERM under load", lambda: lame_duck(np, server))
        if server.process.poll() is None:
            server.process.kill()
        with open(os.path.join(folder, "log"), encoding="utf-8") as f:
            log = f.read()
        if results["failed"]:
            print(log[-2000:])
    print("%(passed)d passed, %(failed)d failed" % results)
    return 1 if results["failed"] else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--inside":
        return inside(sys.argv[2])
    tenon, build = sys.argv[1:3]
    sys.path.insert(0, os.path.join(HERE, "../interop"))
    import scratch
    try:
        python = scratch.make(build, os.path.join(HERE, "requirements.txt"))
    except scratch.Skipped as e:
        print("skip Triton's clients: %s" % e)
        return 0
    return subprocess.run([python, os.path.abspath(__file__), "--inside",
                           os.path.abspath(tenon)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
