"""check.py FOLDER [--axe FILE] [PART...]: drives the pages in FOLDER through headless Chromium; a line for each part."""
import argparse
import pathlib
import sys
import time

import faults_shown
import looks
import moving
import numbers_shown
import words_shown
from browser import Browser, Failure


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--axe", type=pathlib.Path)
    parser.add_argument("parts", nargs="*")
    asked = parser.parse_intermixed_args()
    parts = {
        "keys": moving.keys, "tab": moving.tab, "back": moving.back, "folding": moving.folding,
        "links of mlp": lambda b: moving.links(b, "mlp", 8), "links of fanout": lambda b: moving.links(b, "fanout", 8),
        "links of penalty": lambda b: moving.links(b, "penalty", 8), "links of transformer": lambda b: moving.links(b, "transformer", 6),
        **{"numbers of " + name: lambda b, name=name: numbers_shown.check(b, name)
           for name in ("mlp", "cnn", "transformer", "fanout", "penalty", "views", "ends")},
        "table of words": words_shown.table,
        **{"words of " + name: lambda b, name=name, steps=steps: words_shown.check(b, name, steps)
           for name, steps in (("mlp", (0, 8, 15)), ("cnn", (1, 3, 20)), ("faults", range(0, 100, 14)), ("fanout", (3,)), ("views", (2, 9)),
                              ("ends", range(1, 46, 3)))},
        "faults": faults_shown.check,
        "narrow": lambda b: looks.narrow(b, ("mlp", "transformer", "ends")), "dark": looks.dark, "calm": looks.calm, "print": looks.printed,
        "read aloud": looks.read_aloud, "hostile": looks.hostile, "speed": looks.speed,
    }
    if asked.axe:
        parts["accessible"] = lambda b: looks.accessible(b, asked.axe)
    parts["alone"] = looks.alone
    browser, failed = Browser(asked.folder), 0
    started = time.monotonic()
    try:
        for name, part in parts.items():
            if asked.parts and not any(name.startswith(each) for each in asked.parts):
                continue
            began = time.monotonic()
            try:
                said, mark = part(browser), "ok  "
            except Failure as failure:
                said, mark = str(failure), "FAIL"
            complaints = browser.complaints()
            if complaints:
                said, mark = f"{said}; the console says {complaints[:3]}", "FAIL"
            failed += mark == "FAIL"
            print(f"{mark} {name}: {said} ({time.monotonic() - began:.1f} s)", flush=True)
    finally:
        browser.close()
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if failed else 0


sys.exit(main())
