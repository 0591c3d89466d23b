# SPDX-License-Identifier: Apache-2.0
"""browser.py - a headless Chromium, driven through its debugging pipe

    with browser.Browser() as b:
        b.open(url); b.wait("document.querySelector('nav button')"); b.problems()

Nothing but Chromium itself is needed: the DevTools protocol is spoken over two
pipes, JSON messages that end with a zero byte.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    return None


class Browser:
    def __init__(self, program=None, limit=60):
        self.end = time.monotonic() + limit
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()

        def pipes():  # Chromium reads descriptor 3 and writes descriptor 4
            os.dup2(to_read, 63)
            os.dup2(from_write, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        self.process = subprocess.Popen(
            [program or find(), "--headless", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--user-data-dir=" + self.folder.name, "about:blank"],
            preexec_fn=pipes, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.output, self.input = to_write, from_read
        self.sent = 0
        self.buffer = b""
        self.events = []
        self.session = None
        pages = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        self.session = self.call("Target.attachToTarget", {
            "targetId": pages[0]["targetId"], "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.output)
        os.close(self.input)
        self.folder.cleanup()

    def _message(self):
        while b"\0" not in self.buffer:
            left = self.end - time.monotonic()
            if left <= 0 or not select.select([self.input], [], [], left)[0]:
                raise TimeoutError("the browser did not answer")
            read = os.read(self.input, 1 << 16)
            if not read:
                raise EOFError("the browser has ended")
            self.buffer += read
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, params=None):
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params or {}}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") != self.sent:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError("%s: %s" % (method, answer["error"]))
            else:
                return answer["result"]

    def open(self, url):
        self.call("Page.navigate", {"url": url})

    def js(self, code):
        """The value of an expression in the page; promises are waited for."""
        r = self.call("Runtime.evaluate", {
            "expression": code, "awaitPromise": True, "returnByValue": True})
        if "exceptionDetails" in r:
            raise RuntimeError("%s: %s" % (code, r["exceptionDetails"]))
        return r["result"].get("value")

    def wait(self, code, seconds=15):
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while not self.js("!!(%s)" % code):
            if time.monotonic() > end:
                raise TimeoutError("never true: " + code)
            time.sleep(.05)

    def press(self, key, code=None):
        """A key, as a person presses it."""
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        event = {"key": key, "code": code or key, "windowsVirtualKeyCode": codes.get(key, 0)}
        if key in ("Enter", " "):
            event["text"] = "\r" if key == "Enter" else " "
        self.call("Input.dispatchKeyEvent", dict(event, type="keyDown"))
        self.call("Input.dispatchKeyEvent", dict(event, type="keyUp"))

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def picture(self, path):
        shot = self.call("Page.captureScreenshot", {"captureBeyondViewport": True})
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def problems(self):
        """What the console and uncaught errors said so far, and requests elsewhere."""
        self.js("0")
        found = []
        for e in self.events:
            p = e.get("params", {})
            if e.get("method") == "Runtime.exceptionThrown":
                found.append(json.dumps(p["exceptionDetails"])[:300])
            elif e.get("method") == "Log.entryAdded" and p["entry"]["level"] == "error":
                found.append(p["entry"]["text"] + " " + p["entry"].get("url", ""))
            elif e.get("method") == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning"):
                found.append(json.dumps(p["args"])[:300])
        return found

    def requested(self):
        """Every address that the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]
