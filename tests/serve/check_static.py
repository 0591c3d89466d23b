#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_static.py - the static binary serves from an empty root, as nobody

    check_static.py TENON_STATIC EXAMPLES

What deploy/Containerfile makes, without a container: a folder that holds the
binary and a model and nothing else becomes the root directory. Needs root for
that; skipped, and said so, without. Ends with "N passed, N failed".
"""
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

USER = 65532
PT_DYNAMIC, PT_INTERP = 2, 3
results = {"passed": 0, "failed": 0}


def tell(what, good, why=""):
    results["passed" if good else "failed"] += 1
    print("%s %s%s" % ("ok  " if good else "FAIL", what, "" if good else ": %s" % (why,)))


def segments(path):
    """The types of an ELF file's program headers (64 bits, little-endian)."""
    with open(path, "rb") as f:
        image = f.read()
    at, = struct.unpack_from("<Q", image, 32)
    size, n = struct.unpack_from("<HH", image, 54)
    return {struct.unpack_from("<I", image, at + i * size)[0] for i in range(n)}


def main():
    tenon, examples = sys.argv[1:3]
    tell("no interpreter, nothing to load", not {PT_DYNAMIC, PT_INTERP} & segments(tenon))
    size = int(subprocess.run(["sh", "-c", 'strip -o "$1.stripped" "$1" && stat -c %s "$1.stripped"',
                               "sh", tenon], capture_output=True, text=True, check=True).stdout)
    print("     %d bytes stripped" % size)
    if os.geteuid() != 0:
        print("skip: only root may change the root directory")
        print("%(passed)d passed, %(failed)d failed, 1 skipped" % results)
        return 1 if results["failed"] else 0
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        os.makedirs(os.path.join(root, "mnt/models/digits/1"))
        shutil.copy(tenon + ".stripped", os.path.join(root, "tenon"))
        shutil.copy(os.path.join(examples, "digits-pytorch/model.onnx"),
                    os.path.join(root, "mnt/models/digits/1"))
        os.makedirs(os.path.join(root, "run"))
        os.chmod(os.path.join(root, "run"), 0o777)

        def enter():
            os.chroot(root)
            os.chdir("/")
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)

        server = subprocess.Popen(
            ["/tenon", "serve", "/mnt/models", "--host", "127.0.0.1", "--port", "0",
             "--port-file", "/run/port", "--drain-delay", "0"], preexec_fn=enter, env={},
            stdout=subprocess.DEVNULL)
        port_file = os.path.join(root, "run/port")
        for _ in range(200):
            if os.path.exists(port_file) and open(port_file, encoding="ascii").read().endswith("\n"):
                break
            time.sleep(.05)
        url = "http://127.0.0.1:%d" % int(open(port_file, encoding="ascii").read())
        for _ in range(100):
            try:
                urllib.request.urlopen(url + "/v2/health/ready", timeout=10)
                break
            except OSError:
                time.sleep(.05)
        body = json.dumps({"inputs": [{"name": "image", "shape": [1, 1, 8, 8],
                                       "datatype": "FP32", "data": [0.5] * 64}]}).encode()
        answer = json.load(urllib.request.urlopen(url + "/v2/models/digits/infer", body, timeout=10))
        tell("an inference from an empty root, as user %d" % USER,
             answer["outputs"][1]["shape"] == [1, 10], answer)
        server.send_signal(signal.SIGTERM)
        tell("SIGTERM ends it with 0", server.wait(20) == 0, server.returncode)
    print("%(passed)d passed, %(failed)d failed" % results)
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
