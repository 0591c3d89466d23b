# SPDX-License-Identifier: Apache-2.0
"""sides.py - Tenon and its peers behind the same four methods."""

import json
import os
import select
import shutil
import subprocess
import sys
import time

# A bundle of Tenon's and the most that oneDNN may use then (OpenVINO).
ONEDNN = {"ref": "SSE41", "avx2": "AVX2", "avxvnni": "AVX2_VNNI",
          "avx512": "AVX512_CORE", "avx512vnni": "AVX512_CORE_VNNI",
          "avx512bf16": "AVX512_CORE_BF16"}
LIMIT_S = 600


class Wrong(Exception):
    """A side cannot do what it was asked, and why."""


class Tenon:
    """The command, a process for every question."""
    name, title = "tenon", "Tenon"

    def __init__(self, command, isa=None):
        self.command = command
        self.more = ["--isa", isa] if isa else []

    def _call(self, what, *arguments):
        try:
            r = subprocess.run(
                [self.command, what, self.model, *self.files, *arguments,
                 "--json", *self.more], capture_output=True, text=True,
                timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Wrong(f"no end after {LIMIT_S} s") from None
        if r.returncode:
            lines = (r.stderr.strip() or r.stdout.strip()).splitlines()
            raise Wrong((lines or [f"exit {r.returncode}"])[0][:200])
        return json.loads(r.stdout)

    def load(self, model, inputs, threads):
        self.model, self.threads = model, str(threads)
        self.files = [f"{k}={v}" for k, v in inputs.items()]

    def outputs(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        files = {}
        for o in self._call("run", "-o", folder, "--threads",
                            self.threads)["outputs"]:
            path = o.get("file")
            if path and not os.path.exists(path):
                path = os.path.join(folder, path)
            files[o["name"]] = path
        return files

    def time(self, seconds):
        return self._call("bench", "--threads", self.threads, "--seconds",
                          str(seconds))

    def profile(self):
        return self._call("bench", "--threads", "1", "--seconds", "0.05",
                          "--profile")

    def version(self):
        r = subprocess.run([self.command, "version"], capture_output=True,
                           text=True)
        return "; ".join(r.stdout.strip().splitlines())

    def close(self):
        pass


class Peer:
    """A process of serve.py, which sleeps unless asked."""
    titles = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}

    def __init__(self, name, isa=None):
        self.name, self.title = name, self.titles[name]
        self.env = dict(os.environ)
        if isa in ONEDNN and name == "openvino":
            self.env["ONEDNN_MAX_CPU_ISA"] = ONEDNN[isa]
        self.process = None

    def _ask(self, **question):
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable,
                 os.path.join(os.path.dirname(__file__), "serve.py"),
                 self.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, env=self.env)
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            code = self.process.poll()
            self.close()
            raise Wrong(f"no answer after {LIMIT_S} s" if not ready
                        else f"its process ended ({code})")
        answer = json.loads(line)
        if "error" in answer:
            raise Wrong(answer["error"])
        return answer

    def load(self, model, inputs, threads):
        self.load_ms = self._ask(do="load", model=model, inputs=inputs,
                                 threads=threads)["load_ms"]

    def outputs(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return self._ask(do="outputs", to=folder)["files"]

    def time(self, seconds):
        return dict(self._ask(do="time", seconds=seconds),
                    load_ms=self.load_ms)

    def version(self):
        from importlib.metadata import version
        return f"{self.title} {version(self.name)}"

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def interleave(sides, seconds, rounds):
    """Times A, B, C, A, B, C, …; the figures of each side, by name.

    A peer's threads may spin for a moment after a run; the pause between the
    sides lets them go to sleep.
    """
    times = {side.name: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            times[side.name].append(side.time(seconds))
            time.sleep(0.02)
    return times
