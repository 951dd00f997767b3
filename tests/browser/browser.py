"""One headless Chromium for all checks of the page, and what they ask of it."""
import base64
import json
import pathlib
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys


class Failure(Exception):
    """What a check found."""


def expect(holds, message):
    if not holds:
        raise Failure(message)


def same(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r}, not {wanted!r}")


class Browser:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.requests = []  # of all pages: what they asked for
        options = webdriver.ChromeOptions()
        options.page_load_strategy = "normal"
        for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "force-device-scale-factor=1", "hide-scrollbars",
                     "disable-background-networking", "disable-component-update", "disable-sync", "no-first-run",
                     "disable-extensions", "window-size=1440,900", "lang=en"):
            options.add_argument("--" + flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
        self.driver = webdriver.Chrome(service=Service("chromedriver"), options=options)
        self.driver.set_script_timeout(60)
        self.size(1440, 900)

    def close(self):
        self.driver.quit()

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def js(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, **features):
        """Emulates prefers-...: media(color_scheme="dark")."""
        self.cdp("Emulation.setEmulatedMedia", media="", features=[
            {"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()])

    def open(self, name, address=""):
        """Opens a page anew, not by a change of address in the page that is there."""
        self.driver.get("about:blank")
        self.driver.get((self.folder / (name + ".html")).as_uri() + address)
        self.settle()

    def go(self, **change):
        self.js("page.go(arguments[0])", change)
        self.settle()

    def settle(self):
        """Waits for what the page does a little later: the address, the outline, the announcement."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => done()), 0));")

    def state(self):
        return self.js("""const s = page.state; return {step: s.step, node: s.node, tensor: s.tensor, element: s.element, lang: s.lang,
          theme: s.theme, outline: s.outline, panel: s.panel, open: [...s.open].sort(), opened: [...s.opened].sort(), folded: [...s.folded].sort()};""")

    def press(self, *keys, shift=False):
        chain = ActionChains(self.driver, duration=0)
        if shift:
            chain.key_down(Keys.SHIFT)
        for key in keys:
            chain.send_keys(key)
        if shift:
            chain.key_up(Keys.SHIFT)
        chain.perform()
        self.settle()

    def eventually(self, condition, what, seconds=5):
        """Waits until a JavaScript condition holds."""
        end = time.monotonic() + seconds
        while not self.js("return " + condition):
            expect(time.monotonic() < end, f"{what}: never within {seconds} s")
            time.sleep(0.02)

    def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.cdp("Page.captureScreenshot", format="png")["data"]))

    def complaints(self):
        """What the console has said as an error since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def asked_for(self):
        """Addresses of all requests since the last call."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                found = message["params"]
                self.requests.append(found.get("request", found)["url"])
        return self.requests

    def data(self, name):
        return json.loads((self.folder / (name + ".json")).read_text())
