"""Keys, addresses, the browser's back button, folding."""
from selenium.webdriver.common.keys import Keys

from browser import expect, same

# What one sees, but for where the graph's picture has been moved to and for what follows the pointer.
SNAPSHOT = """
const text = (id) => { const copy = document.getElementById(id).cloneNode(true); for (const c of copy.querySelectorAll("canvas")) c.removeAttribute("style"), c.removeAttribute("width"), c.removeAttribute("height"); return copy.innerHTML; };
return {panel: text("panel"), bar: text("bar"), outline: text("outline"), now: document.querySelector(".controls .now").textContent, title: document.title,
  lang: document.documentElement.lang, theme: document.documentElement.dataset.theme || null, kind: document.documentElement.dataset.kind,
  nodes: page.view.placed.list.map((i) => i.key + ":" + i.kind), flow: JSON.stringify(page.view.placed.list.map((i) => page.flow(page.state.step).item(i)))};
"""


def keys(browser):
    """Every key that the page's list of keys names, and the others that it knows."""
    browser.open("mlp")
    last = browser.js("return page.timeline.length") - 1
    starts = browser.js("return page.backwardStarts")
    step = lambda: browser.state()["step"]
    press, tried = browser.press, set()

    def key(name, *sent, shift=False):
        tried.add(("Shift " if shift else "") + name)
        press(*(sent or (name.lower(),)), shift=shift)

    key("→", Keys.ARROW_RIGHT), same(step(), 1, "right")
    press(Keys.PAGE_DOWN), same(step(), 2, "Page Down, a presenter's key")
    press(Keys.PAGE_UP), same(step(), 1, "Page Up")
    key("←", Keys.ARROW_LEFT), same(step(), 0, "left")
    press(Keys.ARROW_LEFT), same(step(), 0, "left at the first step")
    key("End", Keys.END), same(step(), last, "End")
    press(Keys.ARROW_RIGHT), same(step(), last, "right at the last step")
    key("Home", Keys.HOME), same(step(), 0, "Home")
    modules = []
    for _ in range(3):
        key("→", Keys.ARROW_RIGHT, shift=True)
        modules.append(browser.js("return [page.state.step, page.at().kind, page.whereIs(page.at().operation).path]"))
    expect(modules[0][0] < modules[1][0] < modules[2][0] and len({m[2] for m in modules}) == 3, f"Shift and right does not go by modules: {modules}")
    key("←", Keys.ARROW_LEFT, shift=True), same(step(), modules[1][0], "Shift and left")
    press(Keys.HOME)
    key("B"), same(step(), starts[0], "B")
    press("b"), same(step(), starts[1], "B again")
    press(Keys.HOME), press("B", shift=True), same(step(), starts[0], "Shift and B")
    press(Keys.HOME)
    key("Space", Keys.SPACE)
    expect(browser.js("return page.playing"), "the space bar does not play")
    browser.eventually("page.state.step >= 1", "playing steps")
    press(Keys.SPACE)
    expect(not browser.js("return page.playing"), "the space bar does not pause")
    # Along the graph.
    browser.go(step=3)
    key("↑", Keys.ARROW_UP)
    here = browser.js("return [page.at().operation, page.state.node, page.layout.edges.some((e) => e.to === page.at().operation && e.from === page.state.node)]")
    expect(here[1] is not None and here[2], f"up goes not to an input: {here}")
    key("↓", Keys.ARROW_DOWN), same(browser.state()["node"], here[0], "down, to the use")
    press(Keys.ARROW_DOWN)
    node = browser.state()["node"]
    key("Enter", Keys.ENTER), same(browser.js("return page.at().operation"), node, "Enter visits the node")
    press(Keys.ARROW_UP)
    key("Esc", Keys.ESCAPE), same(browser.state()["node"], None, "Escape")
    # Folding.
    browser.go(step=0)
    before = browser.state()["open"]
    key("C")
    expect(len(browser.state()["open"]) < len(before), "C folds nothing")
    key("O"), same(browser.state()["open"], before, "O opens what C folded")
    key("C", "C", shift=True), same(browser.state()["open"], [], "Shift and C folds all")
    press("C", shift=True), same(browser.state()["open"], [], "Shift and C again")
    key("O", "O", shift=True)
    expect(set(browser.state()["open"]) >= set(before), "Shift and O opens not all")
    # The picture.
    view = lambda: browser.js("return document.querySelector('#picture g').getAttribute('transform')")
    scale = lambda: float(view().split("scale(")[1].rstrip(")"))
    was = scale()
    browser.eventually("(page.__same = (page.__at === (page.__at = document.querySelector('#picture g').getAttribute('transform'))), page.__same)", "the picture rests")
    was = scale()
    key("+", "+"), browser.eventually(f"Number(document.querySelector('#picture g').getAttribute('transform').split('scale(')[1].slice(0, -1)) > {was} * 1.05", "+ makes it larger")
    was = scale()
    key("−", "-"), browser.eventually(f"Number(document.querySelector('#picture g').getAttribute('transform').split('scale(')[1].slice(0, -1)) < {was} * 0.97", "- makes it smaller")
    press("-"), press("-")
    was = view()
    key("0", "0"), browser.eventually(f"document.querySelector('#picture g').getAttribute('transform') !== {was!r}", "0 shows all")
    # Looks.
    key("L"), same(browser.state()["outline"], "1", "L")
    expect(browser.js("return document.getElementById('outline').getBoundingClientRect().width > 100"), "L shows no outline")
    press("l"), same(browser.state()["outline"], None, "L again")
    key("G"), same(browser.state()["lang"], "ru", "G")
    press("g"), same(browser.state()["lang"], "en", "G again")
    key("T"), same(browser.state()["theme"], "dark", "T")
    press("t"), same(browser.state()["theme"], "light", "T again")
    key("/", "/")
    expect(browser.js("return document.activeElement.type === 'search'"), "/ does not search")
    press(*"linear")
    expect(browser.js("return document.querySelectorAll('#found [role=option]').length") > 1, "nothing is found")
    press(Keys.ARROW_DOWN), press(Keys.ENTER)
    expect("linear" in browser.js("return page.operations[page.state.node].name"), "Enter chooses not what was found")
    press("l"), same(browser.state()["outline"], "1", "after a search the keys are the page's again"), press("l")
    press(Keys.HOME)
    first = browser.js("return page.notices.find((f) => f.step > 0)?.step ?? 0")
    key("N"), same(step(), first, "N, the next notice")
    key("?", "?")
    listed = set(browser.js("return [...document.querySelectorAll('dialog[open] kbd')].map((k) => k.textContent)"))
    expect(listed, "? shows no list of keys")
    press(Keys.ESCAPE)
    expect(not browser.js("return document.querySelector('dialog').open"), "Escape does not close the list")
    expect(listed == tried, f"keys listed but not tried: {sorted(listed - tried)}; tried but not listed: {sorted(tried - listed)}")
    # Arrow keys of a tensor are its own.
    browser.go(step=0)
    browser.js("document.querySelector('#panel canvas[tabindex]').focus()")
    press(Keys.ARROW_RIGHT)
    same(step(), 0, "an arrow key in a tensor")
    expect(browser.state()["element"] is not None, "an arrow key in a tensor chooses no element")
    expect(browser.js("return document.activeElement.tagName") == "CANVAS", "the focus leaves the tensor")
    press(Keys.ARROW_DOWN)
    found = browser.js("return [page.state.element, page.values[page.operations[page.at().operation].outputs[0]].shape]")
    same(int(found[0]), found[1][-1] + 1 if len(found[1]) > 1 else 1, "right and down in a tensor")
    return f"{len(tried)} keys"


def tab(browser):
    """By keyboard alone one gets to everything that can be pressed, sees where one is, and is caught nowhere."""
    browser.open("mlp")
    browser.go(outline="1", step=20)
    reached = []
    for _ in range(150):
        browser.press(Keys.TAB)
        found = browser.js("""const e = document.activeElement;
          if (e === document.body) return null;
          const s = getComputedStyle(e), row = e.matches("li") ? getComputedStyle(e.firstElementChild) : s;
          window.__n = (window.__n || 0) + 1; const again = e.__seen; e.__seen = true;
          return [!!again, (s.outlineStyle !== "none" && s.outlineWidth !== "0px") || row.outlineStyle !== "none" || s.boxShadow !== "none", e.outerHTML.slice(0, 100)];""")
        if found is None or found[0]:
            break
        expect(found[1], f"one does not see that it has the focus: {found[2]}")
        reached.append(found[2])
    else:
        expect(False, "Tab never comes round")
    left_out = browser.js("""return [...document.querySelectorAll("button, a[href], input, [tabindex='0']")].filter((e) => !e.__seen && !e.disabled && e.offsetParent !== null
      && !(e.type === "radio" && !e.checked)).map((e) => e.outerHTML.slice(0, 100));""")
    expect(not left_out, f"Tab does not reach: {left_out[:3]}")
    return f"{len(reached)} places"


def links(browser, name, some):
    """Addresses of some steps, opened anew, give the same page; so do those of a node, an element, a language, a theme, modules."""
    browser.open(name)
    steps = browser.js("return page.timeline.length")
    addresses = []

    def keep():
        browser.settle()
        addresses.append((browser.js("return page.address()"), browser.state(), browser.js(SNAPSHOT)))

    for at in sorted({k * (steps - 1) // (some - 1) for k in range(some)}):
        browser.js("page.go({step: arguments[0]})", at)
        keep()
    browser.go(step=steps // 2)
    browser.js("page.go({node: page.operations.find((o) => o.kind === 'operation' && o.id !== page.at().operation).id})")
    keep()
    browser.go(lang="ru", theme="dark", outline="1")
    keep()
    browser.js("page.go({step: 0, node: null}); page.go({tensor: 'out0', element: '1'}); page.foldAll()")
    keep()
    browser.js("page.openAll(); page.go({lang: 'en', theme: 'light'})")
    keep()
    for address, state, snapshot in addresses:
        browser.open(name, address)
        same(browser.state(), state, f"{name}{address}: the state")
        again = browser.js(SNAPSHOT)
        for part in snapshot:
            expect(again[part] == snapshot[part], f"{name}{address}: opened anew it has another {part}: "
                   + difference(str(again[part]), str(snapshot[part])))
    return f"{len(addresses)} addresses"


def difference(a, b):
    at = next((k for k, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"...{a[max(0, at - 60):at + 60]!r}, not ...{b[max(0, at - 60):at + 60]!r}"


def back(browser):
    """The browser's back and forward buttons; an address that is typed; one that makes no sense."""
    browser.open("mlp")
    for at in (4, 9, 2):
        browser.go(step=at)
    browser.press(Keys.ARROW_RIGHT)
    seen = []
    for _ in range(4):
        browser.driver.back()
        browser.eventually("location.hash === '' || page.address() === location.hash", "the page follows its address")
        seen.append(browser.state()["step"])
    same(seen, [2, 9, 4, 0], "the back button")
    browser.driver.forward()
    browser.eventually("page.state.step === 4", "the forward button")
    browser.js("location.hash = '#step=7&lang=ru'")
    browser.eventually("page.state.step === 6 && page.state.lang === 'ru'", "a typed address")
    for address in ("#step=100000", "#step=-3", "#step=x&node=9999&element=foo&tensor=nothing", "#open=nowhere,%ZZ&fold=%", "#lang=de&theme=pink&panel=x", "#&&=&"):
        browser.open("mlp", address)
        expect(browser.js("return page.timeline[page.state.step] !== undefined && document.querySelector('#panel h2') !== null"), f"{address}: nothing is drawn")
    return "4 back, 1 forward, 7 typed"


def folding(browser):
    """Modules fold and open by a click; repeated neighbours stand as one row; a step opens what it needs."""
    browser.open("resnet18")
    rows = browser.js("return page.view.placed.list.filter((i) => i.kind === 'row').length")
    browser.js("page.foldAll()")
    browser.settle()
    few = browser.js("return page.view.placed.list.length")
    for at in browser.js("return page.timeline.map((_, i) => i).filter((i) => i % 17 === 5)"):
        browser.go(step=at)
        expect(browser.js("return page.above(page.whereIs(page.at().operation)).every((k) => page.state.open.has(k)) && !!page.view.placed.itemOf(page.at().operation)"),
               f"step {at + 1} does not open its module")
    browser.js("page.openAll()")
    browser.settle()
    many = browser.js("return page.view.placed.list.filter((i) => i.kind === 'op').length")
    same(many, browser.js("return page.operations.filter((o) => o.kind === 'operation').length"), "operations that are drawn when all is open")
    expect(few < 20, f"folded, resnet18 still has {few} nodes")
    # A click on a folded module opens it, one on its name folds it.
    browser.open("mlp")
    browser.js("page.foldAll()")
    browser.settle()
    click = """const g = [...document.querySelectorAll("#picture [data-key]")].find((g) => page.view.placed.find.get(g.dataset.key)?.kind === arguments[0]);
      const e = arguments[0] === "open" ? g.querySelector("[data-fold]") : g; e.dispatchEvent(new MouseEvent("click", {bubbles: true})); return page.state.open.size;"""
    same(browser.js(click, "folded"), 1, "a click on a folded module: open modules")
    browser.settle()
    same(browser.js(click, "open"), 0, "a click on an open module's name: open modules")
    browser.open("transformer")
    repeated = browser.js("return page.layout.containers.filter((c) => c.repeat > 1).map((c) => [c.key, c.repeat])")
    expect(repeated, "no repeated neighbours")
    browser.js("page.foldAll()")
    browser.js("page.go({step: page.timeline.findIndex((e) => e.kind === 'forward')})")
    browser.js("for (const c of page.layout.containers.filter((c) => c.repeat > 1)) page.unfold(page.above(c)[0])")
    browser.js("page.foldAll(); page.unfold('encoder'); page.unfold('encoder.layers')")
    browser.settle()
    texts = browser.js("return [...document.querySelectorAll('#picture text')].map((t) => t.textContent)")
    expect(any("× 2" in t for t in texts), f"no row says × 2: {texts}")
    return f"{rows} rows, {few} to {many} nodes"
