"""What ends a pass, where history is cut, gradients that are zero or no numbers: in panel, outline, graph, timeline, legend, notices."""
from browser import expect, same

TEXT = "return document.querySelector(arguments[0])?.textContent ?? ''"
# Of an item of the graph by its name: the words of its marks.
MARKS = """
const words = (item) => [...document.querySelectorAll(`#picture [data-key="${item.key}"] .badge text, #picture [data-key="${item.key}"] .stop text`)].map((t) => t.textContent);
return page.view.placed.list.filter((i) => (i.kind === "value" ? page.values[i.id].name : i.kind === "op" ? page.title(i.id) : "") === arguments[0]).map(words);
"""


def check(browser, name="ends"):
    data = browser.data(name)
    record = data["record"]
    browser.open(name)
    browser.go(outline="1")
    browser.js("page.openAll()")
    index = {step: at for at, entry in enumerate(data["timeline"]) if entry["kind"] == "backward" for step in [entry["of"]]}
    panel = lambda: browser.js(TEXT, "#panel")

    # An exception: its text in the panel, in the outline and in the list of notices, and the text is no markup.
    threw = [step for step in record["steps"] if step["error"]]
    expect(len(threw) == 2, f"{len(threw)} steps that threw")
    for step in threw:
        browser.go(step=index[step["id"]])
        first = step["error"].split("\n")[0]
        expect(first in browser.js(TEXT, "#panel .error"), f"step {index[step['id']] + 1}: the panel does not say {first!r}")
        row = browser.js(TEXT, "#outline [aria-current=step]")
        expect("✕" in row and first[:40] in row, f"the outline says {row!r}")
        marks = browser.js(MARKS, browser.js("return page.title(page.at().operation)"))
        expect(any("✕" in words for words in marks), f"no cross at what threw: {marks}")
        expect(first[:100] in browser.js(TEXT, "#notices"), f"no notice says {first!r}")

    # A pass that went on when the record was stopped threw nothing.
    (part,) = [p for p in record["passes"] if p["end"] == "open"]
    browser.go(step=index[[s for s in record["steps"] if s["pass"] == part["id"]][-1]["id"]])
    expect("stopped" in panel() and "exception" not in panel(), f"of a stopped record the panel says {panel()[:300]!r}")

    # Leaves: zero, infinity, NaN.
    for leaf, sign in (("zero", "∂ 0"), ("infinite", "∞"), ("nan", "NaN")):
        (operation,) = [o["id"] for o in record["operations"] if o["kind"] == "leaf" and record["values"][o["outputs"][0]]["name"] == leaf]
        arrives = max(index[c["from_step"]] for w in data["leaf_waits"] if w["operation"] == operation for c in w["contributions"])
        browser.go(step=arrives - 1)
        (marks,) = browser.js(MARKS, leaf)
        expect("⚑" in marks and sign not in marks, f"before its gradient came {leaf} has the marks {marks}")
        browser.go(step=arrives)
        (marks,) = browser.js(MARKS, leaf)
        expect(sign in marks, f"{leaf} has the marks {marks}, not {sign}")
    legend = browser.js(TEXT, "#graph .legend")
    for sign in ("∂ 0", "⚑", "⊣"):
        expect(sign in legend, f"the legend has no {sign}: {legend!r}")

    # A cut: at what was cut, when it was cut, and what has been computed from there.
    (stop,) = data["stops"]
    browser.go(step=stop["time"])
    expect("detached" in panel(), "where history was cut the panel says nothing of it")
    marks = browser.js(MARKS, browser.js("return page.title(arguments[0])", stop["from_operation"]))
    expect(any("stops here: detach" in words for words in marks), f"no stop at what was cut: {marks}")
    reader = next(at for at, e in enumerate(data["timeline"]) if e["kind"] == "forward" and stop["value"] in record["operations"][e["of"]]["inputs"])
    browser.go(step=reader)
    expect("exp" in browser.js(TEXT, "#panel .inputs") and "mul" in browser.js(TEXT, "#panel .inputs"), "where a constant came from is not said")
    browser.js("document.querySelector('#panel .warn a').click()")
    same(browser.state()["step"], stop["time"], "a link to where it was cut")
    cuts = browser.js("return [...document.querySelectorAll('.flags .cut')].map((e) => parseFloat(e.style.left))")
    same([round(x, 3) for x in cuts], [round(100 * (stop["time"] + 1) / len(data["timeline"]), 3)], "the cut's place on the timeline")

    # Numbers of steps in notices are links, by mouse and by keyboard.
    browser.open("faults")
    texts = browser.js("return page.notices.map((f) => [page.noticeText(f), f.more.n ?? null])")
    linked = [(text, n) for text, n in texts if n]
    expect(len(linked) >= 3, f"notices with a step: {texts}")
    for at, (text, n) in enumerate(texts):
        if not n:
            continue
        browser.js("document.querySelector('button.notices').click()")
        href = browser.js("const a = document.querySelectorAll('#notices li')[arguments[0]].querySelectorAll('a')[1]; const h = a.getAttribute('href'); a.click(); return h", at)
        same(href, f"#step={n}", f"the link in {text!r}")
        same(browser.state()["step"], n - 1, f"a click on the link in {text!r}")
        expect(browser.js("return document.getElementById('notices').hidden"), "the list stays open")

    # The word at the peak hides the cursor that goes through it.
    browser.js("""const mark = document.querySelector("#memory .peak").getBoundingClientRect(), all = document.querySelector("#memory .picture").getBoundingClientRect();
      page.go({step: Math.floor(page.timeline.length * (mark.left + mark.width / 2 - all.left) / all.width)});""")
    over = browser.js("""const mark = document.querySelector("#memory .peak"), cursor = document.querySelector("#memory .cursor"), m = mark.getBoundingClientRect(), c = cursor.getBoundingClientRect();
      return [c.left > m.left && c.left < m.right, !!(cursor.compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING), getComputedStyle(mark).backgroundColor !== "rgba(0, 0, 0, 0)"];""")
    same(over, [True, True, True], "cursor within the word, word above it, on a ground of its own")
    return f"{len(threw)} exceptions, {len(linked)} links"
