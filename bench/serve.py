#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py - `tenon serve` beside FastAPI with ONNX Runtime, as Markdown.

    python3 bench/serve.py --tenon build/release/tenon

Both servers get processor 0 and one compute thread, the load generator
(serve_load.c) processor 1; only addresses of this machine are asked, for a
bounded time. FastAPI is what most people write: one worker of uvicorn with its
fast loop and parser, a pydantic body for JSON, raw bytes for binary.

Closed loop: CONNECTIONS at a time, in turns A, B, A, B. Open loop, Tenon alone:
Poisson arrivals at 80 % and at 200 % of what the closed loop reached.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "models"))
from peerlib import env  # noqa: E402

MODELS = ("mlp", "resnet18", "minilm-l6")
PEERS = ["fastapi", "uvicorn", "uvloop", "httptools", "onnxruntime"]

APP = '''
import os
import numpy as np
import onnxruntime as ort
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
inputs = [(i.name, kinds[i.type]) for i in session.get_inputs()]
app = FastAPI()


class Tensors(BaseModel):
    shapes: dict[str, list[int]]
    data: dict[str, list[float]]


@app.post("/json")
def by_json(body: Tensors):
    feed = {n: np.array(body.data[n], t).reshape(body.shapes[n]) for n, t in inputs}
    return {"outputs": [y.tolist() for y in session.run(None, feed)]}


@app.post("/binary")
async def binary(request: Request):
    raw = await request.body()
    feed, at = {}, 0
    for (name, kind), shape in zip(inputs, eval(os.environ["SHAPES"])):
        n = int(np.prod(shape))
        feed[name] = np.frombuffer(raw, kind, n, at).reshape(shape)
        at += n * np.dtype(kind).itemsize
    return Response(b"".join(y.tobytes() for y in session.run(None, feed)))


@app.get("/ready")
def ready():
    return {}
'''


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    with open("/proc/%d/statm" % pid, encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def http(path, body, kind, extra=()):
    head = ["POST %s HTTP/1.1" % path, "Host: 127.0.0.1", "Content-Type: " + kind,
            "Content-Length: %d" % len(body), *extra]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Server:
    """A server pinned to processor 0, and its two requests."""

    def __init__(self, command, ready, port, extra=None):
        self.port = port
        self.process = subprocess.Popen(["taskset", "-c", "0", *command],
                                        env=dict(os.environ, **(extra or {})),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, ready), timeout=5)
                return
            except OSError:
                time.sleep(.05)
        raise SystemExit("the server did not start: %s" % command)

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def tenon(args, path, port, feed):
    types = {"float32": "FP32", "int64": "INT64"}
    server = Server([args.tenon, "serve", "m=" + path, "--port", str(port), "--threads", "1",
                     "--io-threads", "1", "--drain-delay", "0"], "/v2/health/ready", port)
    heads = [{"name": n, "shape": list(x.shape), "datatype": types[x.dtype.name]}
             for n, x in feed.items()]
    as_json = json.dumps({"inputs": [dict(h, data=x.ravel().tolist())
                                     for h, x in zip(heads, feed.values())]}).encode()
    head = json.dumps({"inputs": [dict(h, parameters={"binary_data_size": x.nbytes})
                                  for h, x in zip(heads, feed.values())],
                       "parameters": {"binary_data_output": True}}).encode()
    raw = head + b"".join(x.tobytes() for x in feed.values())
    server.requests = {
        "json": http("/v2/models/m/infer", as_json, "application/json"),
        "binary": http("/v2/models/m/infer", raw, "application/octet-stream",
                       ["Inference-Header-Content-Length: %d" % len(head)])}
    return server


def fastapi(folder, path, port, feed):
    with open(os.path.join(folder, "app.py"), "w", encoding="utf-8") as f:
        f.write(APP)
    server = Server([sys.executable, "-m", "uvicorn", "app:app", "--app-dir", folder,
                     "--port", str(port), "--log-level", "warning"], "/ready", port,
                    {"MODEL": path, "SHAPES": repr([x.shape for x in feed.values()])})
    as_json = json.dumps({"shapes": {n: list(x.shape) for n, x in feed.items()},
                          "data": {n: x.ravel().tolist() for n, x in feed.items()}}).encode()
    server.requests = {
        "json": http("/json", as_json, "application/json"),
        "binary": http("/binary", b"".join(x.tobytes() for x in feed.values()),
                       "application/octet-stream")}
    return server


def load(args, server, kind, seconds, connections, rate=None):
    path = os.path.join(args.scratch, "request")
    with open(path, "wb") as f:
        f.write(server.requests[kind])
    before = cpu_seconds(server.process.pid)
    r = subprocess.run(["taskset", "-c", "1", args.load, str(server.port), path, str(seconds),
                        str(connections), *([str(rate)] if rate else [])],
                       capture_output=True, text=True, check=True)
    found = json.loads(r.stdout)
    answered = found["good"] + found["refused"]
    found["cpu_us"] = (cpu_seconds(server.process.pid) - before) * 1e6 / max(1, answered)
    return found


def model_us(port):
    """Time in the model so far, a batch counted once, and rows."""
    with urllib.request.urlopen("http://127.0.0.1:%d/v2/models/m/stats" % port) as r:
        stats = json.load(r)["model_stats"][0]
    return sum(b["compute_infer"]["ns"] for b in stats["batch_stats"]) / 1e3, \
        stats["inference_count"]


def measure(args, name, scratch):
    import make_models
    path = make_models.make(name, args.models)
    feed = make_models.example_inputs(name, 1)
    sides = {"Tenon": tenon(args, path, args.port, feed),
             "FastAPI": fastapi(scratch, path, args.port + 1, feed)}
    try:
        for kind in ("json", "binary"):
            runs = {side: [] for side in sides}
            for side in sides:  # the first of each is not counted
                load(args, sides[side], kind, 0.5, args.connections)
            before = model_us(args.port)
            for _ in range(args.rounds):
                for side in sides:
                    runs[side].append(load(args, sides[side], kind, args.seconds,
                                           args.connections))
            after = model_us(args.port)
            best = {s: max(r, key=lambda x: x["per_second"]) for s, r in runs.items()}
            inside = (after[0] - before[0]) / max(1, after[1] - before[1])
            ratio = best["Tenon"]["per_second"] / best["FastAPI"]["per_second"]
            for side in sides:
                b = best[side]
                beyond = "%.0f" % (b["cpu_us"] - inside) if side == "Tenon" else "-"
                print("| %s | %s | %s | %.0f | %s | %.2f | %.2f | %.0f | %s | %d | %.0f |" % (
                    name, kind, side, b["per_second"], "**%.1f**" % ratio if side == "Tenon" else "",
                    b["p50"] / 1e3, b["p99"] / 1e3, b["cpu_us"], beyond,
                    sum(r["failed"] for r in runs[side]), resident(sides[side].process.pid)))
            sys.stdout.flush()
            for share in (.8, 2.0):
                capacity = best["Tenon"]["per_second"]
                found = load(args, sides["Tenon"], kind, args.seconds, 256, share * capacity)
                args.open.append((name, kind, share, capacity, found))
    finally:
        for side in sides.values():
            side.close()


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--tenon", default="build/release/tenon", help="the command")
    p.add_argument("--env", metavar="DIR", default="build/serve-venv",
                   help="the environment with FastAPI; made when missing")
    p.add_argument("--models", metavar="DIR", default="build/bench-models")
    p.add_argument("--only", metavar="A,B", default=",".join(MODELS))
    p.add_argument("--seconds", type=float, default=3, help="of each run (3)")
    p.add_argument("--rounds", type=int, default=2, help="A, B per line (2)")
    p.add_argument("--connections", type=int, default=8, help="of the closed loop (8)")
    p.add_argument("--port", type=int, default=8460)
    args = p.parse_args()
    lacking = env.enter(args.env, PEERS)
    if lacking:
        raise SystemExit("cannot do without: %s" % lacking)
    args.tenon, args.open = os.path.abspath(args.tenon), []
    with tempfile.TemporaryDirectory() as scratch:
        args.scratch, args.load = scratch, os.path.join(scratch, "serve_load")
        subprocess.run([shutil.which("cc"), "-std=gnu11", "-O2", os.path.join(HERE, "serve_load.c"),
                        "-lm", "-o", args.load], check=True)
        print("# Tenon and FastAPI with ONNX Runtime\n\n%d connections, one processor for the "
              "server, one for who asks; %d rounds of %g s,\nthe best of each.\n" % (
                  args.connections, args.rounds, args.seconds))
        print("| model | body | server | requests/s | ratio | p50 ms | p99 ms | CPU us each | "
              "beyond the model | failed | MiB |\n|---|---|---|---|---|---|---|---|---|---|---|")
        for name in args.only.split(","):
            measure(args, name, scratch)
        print("\nPoisson arrivals at Tenon, at a share of the closed loop's rate:\n\n| model | body | "
              "share | asked/s | answered/s | goodput | p50 ms | p99 ms | p99/p50 | refused | "
              "failed |\n|---|---|---|---|---|---|---|---|---|---|---|")
        for name, kind, share, capacity, f in args.open:
            print("| %s | %s | %.1f | %.0f | %.0f | %.2f | %.2f | %.2f | %.1f | %d | %d |" % (
                name, kind, share, share * capacity, f["per_second"], f["per_second"] / capacity,
                f["p50"] / 1e3, f["p99"] / 1e3, f["p99"] / max(1e-9, f["p50"]), f["refused"],
                f["failed"]))


if __name__ == "__main__":
    main()
