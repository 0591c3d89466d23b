# SPDX-License-Identifier: Apache-2.0
"""serve.py - one peer in a process of its own, asked by lines of JSON.

Between two questions the process waits for a line, so its threads sleep and
take nothing from the peer whose turn it is.

    {"do": "load", "model": M, "threads": N, "inputs": {NAME: FILE.npy}}
    {"do": "outputs", "to": FOLDER}
    {"do": "time", "seconds": S}
"""

import json
import os
import statistics
import sys
import time


def memory(key):
    """A line of the process's status, in bytes."""
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    return 0


def complaint(e):
    """What an exception says, without where in its library it was thrown."""
    lines = [x.strip() for x in (str(e).strip() or repr(e)).splitlines()]
    said = [x for x in lines if x and not x.startswith("Exception from")]
    return " ".join(said or lines)[:160]


class OnnxRuntime:
    """All its optimisations and its default spinning; inputs bound ahead."""

    def __init__(self):
        import onnxruntime
        self.ort = onnxruntime

    def load(self, model, feed, threads):
        options = self.ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = self.ort.InferenceSession(
            model, options, providers=["CPUExecutionProvider"])
        if any("tensor" not in o.type for o in session.get_outputs()):
            # Maps and sequences cannot be bound.
            return lambda: session.run(None, feed), session
        binding = session.io_binding()
        for name, value in feed.items():
            binding.bind_cpu_input(name, value)
        for out in session.get_outputs():
            binding.bind_output(out.name, "cpu")
        run = session.run_with_iobinding
        return lambda: run(binding), session

    def outputs(self, session, feed):
        names = [o.name for o in session.get_outputs()]
        return dict(zip(names, session.run(None, feed)))


class OpenVino:
    """Held to fp32, one stream, latency; tensors bound ahead."""

    def __init__(self):
        import openvino
        from openvino import _pyopenvino
        self.ov, self.raw = openvino, _pyopenvino.InferRequest.infer
        self.core = openvino.Core()

    def load(self, model, feed, threads):
        net = self.core.read_model(model)
        net.reshape({name: list(value.shape) for name, value in feed.items()})
        compiled = self.core.compile_model(net, "CPU", {
            "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": "1"})
        request = compiled.create_infer_request()
        for name, value in feed.items():
            request.set_tensor(name, self.ov.Tensor(value,
                                                    shared_memory=True))
        # The class's own infer() makes copies and dictionaries besides.
        raw = self.raw
        return lambda: raw(request, {}, True, False), (compiled, request)

    def outputs(self, state, _feed):
        compiled, request = state
        request.infer()
        return {port.any_name: request.get_tensor(port).data
                for port in compiled.outputs}


class Server:
    """Answers questions about one model."""

    def __init__(self, kind):
        self.peer = {"onnxruntime": OnnxRuntime, "openvino": OpenVino}[kind]()
        self.run = self.state = None

    def load(self, q):
        import numpy as np
        self.run = self.state = None  # the last model goes first
        self.feed = {k: np.load(v) for k, v in q["inputs"].items()}
        self.base = memory("VmRSS")
        start = time.perf_counter()
        self.run, self.state = self.peer.load(q["model"], self.feed,
                                              q["threads"])
        return {"load_ms": 1e3 * (time.perf_counter() - start)}

    def outputs(self, q):
        import numpy as np
        files = {}
        for i, (name, value) in enumerate(
                self.peer.outputs(self.state, self.feed).items()):
            if not isinstance(value, np.ndarray) or value.dtype.kind == "O":
                files[name] = None  # maps, sequences, strings
                continue
            files[name] = os.path.join(q["to"], f"{i}.npy")
            np.save(files[name], value)
        return {"files": files}

    def time(self, q):
        clock, run, seconds = time.perf_counter, self.run, q["seconds"]
        end = clock() + seconds / 3
        try:
            run()
        except Exception:  # a declared shape that does not come true
            state, feed = self.state, self.feed
            run = self.run = lambda: self.peer.outputs(state, feed)
        while clock() < end:
            run()
        times = []
        end = clock() + seconds
        while clock() < end or len(times) < 3:
            a = clock()
            run()
            times.append(clock() - a)
        return {"min_ms": 1e3 * min(times), "runs": len(times),
                "p50_ms": 1e3 * statistics.median(times),
                "peak_rss_bytes": memory("VmHWM") - self.base}


def main():
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = Server(sys.argv[1])
    for line in sys.stdin:
        q = json.loads(line)
        try:
            a = getattr(server, q["do"])(q)
        except Exception as e:  # whatever a peer throws is its answer
            a = {"error": complaint(e)}
        answers.write(json.dumps(a) + "\n")


if __name__ == "__main__":
    main()
