#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kserve_client.py - KServe's Python client against the server, deploy/ against its types

    kserve_client.py TENON BUILD_FOLDER

Makes an environment with the kserve package (skipped, and said so, where pip has
no network), asks by REST and gRPC, then runs check_deploy.py there. Ends with
"N passed, N failed".
"""
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


async def ask(port, tell):
    import numpy
    from kserve import (InferenceGRPCClient, InferenceRESTClient, InferInput,
                        InferRequest, RESTConfig)
    base = "http://127.0.0.1:%d" % port

    def request():
        one = InferInput(name="image", shape=[2, 1, 8, 8], datatype="FP32")
        one.set_data_from_numpy(numpy.full((2, 1, 8, 8), .5, numpy.float32), binary_data=False)
        return InferRequest(model_name="digits", infer_inputs=[one])

    rest = InferenceRESTClient(config=RESTConfig(protocol="v2", retries=1))
    tell("REST: live, ready, model ready", await rest.is_server_live(base)
         and await rest.is_server_ready(base) and await rest.is_model_ready(base, "digits"))
    answer = await rest.infer(base, request(), model_name="digits")
    rows = [o for o in answer.outputs if o.name == "probability"][0].as_numpy()
    tell("REST: infer", rows.shape == (2, 10) and abs(rows.sum() - 2) < 1e-3, rows)
    await rest.close()
    grpc = InferenceGRPCClient("127.0.0.1:%d" % port)
    tell("gRPC: live, ready, model ready", await grpc.is_server_live()
         and await grpc.is_server_ready() and await grpc.is_model_ready("digits"))
    answer = await grpc.infer(request())
    same = [o for o in answer.outputs if o.name == "probability"][0].as_numpy()
    tell("gRPC: infer, the same", numpy.allclose(rows, same), same)
    await grpc.close()


def inside(tenon):
    import asyncio
    results = {"passed": 0, "failed": 0}

    def tell(what, good, why=""):
        results["passed" if good else "failed"] += 1
        print("%s %s%s" % ("ok  " if good else "FAIL", what, "" if good else ": %s" % (why,)))

    with tempfile.TemporaryDirectory() as folder:
        port_file = os.path.join(folder, "port")
        server = subprocess.Popen(
            [tenon, "serve", "digits=" + os.path.join(TOP, "examples/digits-pytorch/model.onnx"),
             "--port", "0", "--port-file", port_file, "--drain-delay", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if os.path.exists(port_file) and open(port_file, encoding="ascii").read().endswith("\n"):
                    break
                time.sleep(.05)
            asyncio.run(ask(int(open(port_file, encoding="ascii").read()), tell))
        finally:
            server.terminate()
            server.wait(20)
    deploy = subprocess.run([sys.executable, os.path.join(HERE, "check_deploy.py"),
                             os.path.join(TOP, "deploy")], check=False)
    tell("deploy/ fits KServe's types", deploy.returncode == 0)
    print("%(passed)d passed, %(failed)d failed" % results)
    return 1 if results["failed"] else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--inside":
        return inside(sys.argv[2])
    tenon, build = sys.argv[1:3]
    sys.path.insert(0, os.path.join(HERE, "../interop"))
    import scratch
    try:
        python = scratch.make(build, os.path.join(HERE, "requirements-kserve.txt"))
    except scratch.Skipped as e:
        print("skip KServe's client: %s" % e)
        return 0
    return subprocess.run([python, os.path.abspath(__file__), "--inside",
                           os.path.abspath(tenon)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
