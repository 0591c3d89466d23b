#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_page.py - the page at "/" in a headless Chromium, as a person uses it

    check_page.py TENON EXAMPLES [PICTURES_FOLDER]

Serves the example models, opens the page, tries a model with an image, with a
JSON list and by the keyboard alone, on a wide screen and on a phone; nothing may
be asked from elsewhere and nothing may be said on the console. Skipped where
there is no Chromium. Ends with "N passed, N failed".
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import browser  # noqa: E402

passed = failed = 0


def tell(what, good, why=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print("%s %s%s" % ("ok  " if good else "FAIL", what, "" if good else ": %s" % (why,)))


IMAGE = """(async () => {
  const c = new OffscreenCanvas(64, 64), g = c.getContext('2d');
  g.fillStyle = 'black'; g.fillRect(0, 0, 64, 64);
  g.fillStyle = 'white'; g.fillRect(28, 8, 10, 48);
  const d = new DataTransfer();
  d.items.add(new File([await c.convertToBlob()], 'one.png', { type: 'image/png' }));
  const f = document.querySelector('input[type=file]');
  f.files = d.files;
  f.dispatchEvent(new Event('change'));
})()"""


def choose(b, name):
    b.js("[...document.querySelectorAll('nav button')].find(x => x.dataset.key.startsWith(%r)).click()" % (name + "/"))
    b.wait("document.querySelector('#model h2') && document.querySelector('#model h2').textContent === %r" % name)


def answered(b):
    b.wait("document.querySelector('[role=region] table, [role=region] pre, [role=region] .bad')")
    return b.js("document.querySelector('[role=region] .bad') ? document.querySelector('[role=region] .bad').textContent : ''")


def look(b, url, pictures):
    b.size(1200, 900)
    b.open(url)
    b.wait("document.querySelectorAll('nav button').length >= 2")
    b.wait("document.getElementById('state').textContent === 'ready'")
    tell("ready and its models are shown", True)

    choose(b, "digits")
    b.js(IMAGE)
    b.wait("document.querySelector('canvas').width === 8")
    b.js("document.querySelector('button.do').click()")
    why = answered(b)
    rows = b.js("document.querySelectorAll('[role=region] tbody tr').length")
    tell("an image is tried", why == "" and rows == 10, why or rows)
    b.wait("document.querySelectorAll('svg.chart').length === 3")
    b.wait("/at most/.test(document.getElementById('rate-now').textContent)")
    tell("charts move", True)
    if pictures:
        b.picture(os.path.join(pictures, "page-wide.png"))

    b.js("{const t = document.querySelector('textarea'); t.value = '[1, 2'; t.dispatchEvent(new Event('input'));}")
    b.js("document.querySelector('button[type=button]').click()")  # zeros
    b.js("document.querySelector('button.do').click()")
    tell("a list is tried", answered(b) == "")

    choose(b, "wine")
    b.js("document.querySelector('textarea').focus()")
    for _ in range(12):
        b.press("Tab")
        if b.js("document.activeElement.textContent") == "Run":
            break
    b.press("Enter")
    tell("by the keyboard alone", answered(b) == "", "no answer")

    b.size(390, 800)
    time.sleep(.3)
    wide = b.js("document.documentElement.scrollWidth")
    tell("a phone need not scroll sideways", wide <= 390, wide)
    if pictures:
        b.picture(os.path.join(pictures, "page-phone.png"))

    others = [u for u in b.requested() if not u.startswith((url, "data:", "blob:"))]
    tell("nothing is asked from elsewhere", not others, others)
    tell("nothing on the console", not b.problems(), b.problems())


def main():
    tenon, examples = sys.argv[1], sys.argv[2]
    pictures = sys.argv[3] if len(sys.argv) > 3 else None
    if browser.find() is None:
        print("skip: no Chromium here (apt install chromium)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for name, source in (("digits", "digits-pytorch"), ("wine", "wine-sklearn")):
            os.makedirs(os.path.join(folder, name, "1"))
            shutil.copy(os.path.join(examples, source, "model.onnx"), os.path.join(folder, name, "1"))
        port_file = os.path.join(folder, ".port")
        server = subprocess.Popen([tenon, "serve", folder, "--port", "0", "--port-file", port_file])
        try:
            for _ in range(200):
                if os.path.exists(port_file) and open(port_file, encoding="ascii").read().endswith("\n"):
                    break
                time.sleep(.05)
            url = "http://127.0.0.1:%d/" % int(open(port_file, encoding="ascii").read())
            urllib.request.urlopen(url, timeout=10).read()
            with browser.Browser() as b:
                look(b, url, pictures)
        finally:
            server.terminate()
            server.wait(20)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
