"""Every step of a page shows the numbers that the library computed: each cell of each tensor is asked what it says, and compared
with the record."""
import math
import re

from browser import expect

# Of steps from .. to, in one call: of each tensor in the panel what its cells say, found by moving a pointer over it, of all its
# matrices, to which its buttons turn; and the written-out sums and formulas with numbers, as text.
READ = """
const [from, to] = arguments, steps = [];
const canvasOf = (key) => document.querySelector(`#panel canvas[data-key="${CSS.escape(key)}"]`);
const read = /(?:\\[([\\d, ]*)\\])? = ([^=]*)$/;
const look = (canvas, cells, places) => {
  const says = canvas.closest("figure").querySelector(".says"), r = canvas.getBoundingClientRect();
  canvas.getBoundingClientRect = () => r;  // once, not for each cell
  const ask = (x, y) => {
    canvas.dispatchEvent(new PointerEvent("pointermove", {clientX: r.left + x, clientY: r.top + y}));
    return says.textContent;
  };
  canvas.dispatchEvent(new PointerEvent("pointerleave"));
  const nothing = says.textContent;
  const line = (along, n) => {  // where cells begin in a row or a column
    const at = [];
    let last = null;
    for (let k = 3; k < n; k += 2) {
      const text = along(k);
      if (text !== last && text !== nothing) at.push(k);
      last = text;
    }
    return at;
  };
  // The chosen cell says what nothing says, too: it is found since its neighbours differ, or by the last resort below.
  places ??= [[...new Set([3, ...line((k) => ask(k, 3), r.width), ...line((k) => ask(k, r.height - 6), r.width)])],
              [...new Set([3, ...line((k) => ask(3, k), r.height), ...line((k) => ask(r.width - 6, k), r.height)])]];
  const note = (text) => { const m = read.exec(text); if (m) cells[m[1] || ""] = m[2]; };
  for (const y of places[1]) for (const x of places[0]) note(ask(x, y));
  note(nothing);
  canvas.dispatchEvent(new PointerEvent("pointerleave"));
  delete canvas.getBoundingClientRect;
  return places;
};
for (let at = from; at < to; at++) {
  page.go({step: at, tensor: null, element: null}, {replace: true});
  const shown = {}, textOf = (formula) => [...formula.querySelectorAll("math")].map((m) => m.textContent).join("");
  const sums = [...document.querySelectorAll("#panel .formula.with-numbers")].map(textOf);
  for (const key of [...document.querySelectorAll("#panel canvas")].map((c) => c.dataset.key)) {
    const cells = {}, pager = () => canvasOf(key).closest("figure").querySelector(".pager");
    let places = look(canvasOf(key), cells, null);
    if (pager()) {
      const label = () => pager().querySelector("span").textContent, first = label();
      for (let turns = 0; turns < 10000; turns++) {  // all round, from whichever it shows
        pager().querySelector("button:last-child").click();
        if (label() === first) break;
        places = look(canvasOf(key), cells, places);
      }
    }
    shown[key] = cells;
  }
  steps.push({shown, sums});
}
return steps;
"""


def number(text):
    text = text.replace("\u2212", "-").replace("\u221e", "inf").replace("\u2013", "nan").strip()
    return {"true": 1.0, "false": 0.0}[text] if text in ("true", "false") else float(text)


def plain(x):
    return float(x) if not isinstance(x, str) else float(x.replace("\u2212", "-"))


def elements(entry):
    """{index: number} of what the record knows of a tensor; whether that is all of it."""
    shape, numbers = entry["shape"], entry.get("numbers") or {}

    def index(flat):
        found = []
        for n in reversed(shape):
            found.insert(0, str(flat % n))
            flat //= n
        return ", ".join(found)

    if "all" in numbers:
        return {index(k): plain(x) for k, x in enumerate(numbers["all"])}, True
    if "corner" in numbers:
        places = numbers["corner_places"]
        rows, columns = (places if len(places) > 1 else ([0], places[0]))
        wide = shape[-1] if shape else 1
        return {index(r * wide + c): plain(numbers["corner"][i * len(columns) + k])
                for i, r in enumerate(rows) for k, c in enumerate(columns)}, False
    return {}, False


def gradient(record, step, entry):
    """A gradient that goes on as it is has its numbers where it arrives."""
    if entry.get("numbers"):
        return entry
    for other in record["passes"][step["pass"]]["arrived"]:
        if other["operation"] == entry["to"] and other["index"] == entry["to_output"]:
            return {**entry, "numbers": other["numbers"]}
    for other in record["steps"]:
        if other["pass"] == step["pass"] and other["operation"] == entry["to"]:
            for came in other["of_outputs"]:
                if came["index"] == entry["to_output"]:
                    return {**entry, "numbers": came["numbers"]}
    return entry


def wanted(data, at):
    """Of a step: what tensors the page has to show, by their keys."""
    record, entry, found = data["record"], data["timeline"][at], {}
    values, operations = record["values"], record["operations"]
    if entry["kind"] == "forward":
        operation = operations[entry["of"]]
        for side, name in (("outputs", "out"), ("inputs", "in")):
            for k, v in enumerate(operation[side]):
                if v is not None:
                    found[f"{name}{k}"] = values[v]
    elif entry["kind"] == "backward":
        step = record["steps"][entry["of"]]
        for came in step["of_outputs"]:
            found[f"dy{came['index']}"] = came
        for goes in step["of_inputs"]:
            found[f"d{goes['index']}"] = gradient(record, step, goes)
        operation = operations[step["operation"]]
        kept = [v for v in (s.get("value") for s in operation["saved"]) if v is not None]
        if len(kept) == len(operation["saved"]):
            for k, v in enumerate(kept):
                found[f"kept{k}"] = values[v]
    else:
        update = record["updates"][entry["of"]]
        for name in ("before", "gradient", "after"):
            if update.get(name):
                found[name] = update[name]
    return found


def near(text, x):
    shown = number(text)
    if math.isnan(x) or math.isinf(x):
        return str(shown) == str(x)
    return abs(shown - x) <= 6e-7 * abs(x) + 1e-45


def sums_agree(texts, where):
    """left = a · b + c · d = result: the terms that are shown give the result that is shown."""
    checked = 0
    for text in texts:
        text = text.replace("\u2212", "-").replace(" ", "")
        parts = text.split("=")
        if len(parts) < 3 or "\u2026" in text or not re.fullmatch(r"[-+\u00b7().\de]+", parts[-2]):
            continue
        try:
            terms, result = eval(parts[-2].replace("\u00b7", "*"), {"__builtins__": {}}), float(parts[-1])  # digits and signs alone
        except (SyntaxError, ValueError, TypeError):
            continue
        size = sum(abs(float(x)) for x in re.findall(r"\d[\d.]*(?:e-?\d+)?", parts[-2])) + abs(result)
        expect(abs(terms - result) <= 2e-4 * size + 1e-12, f"{where}: {text}: the terms give {terms:.6g}")
        checked += 1
    return checked


def check(browser, name):
    """At every step what is shown, of all matrices of each tensor."""
    data = browser.data(name)
    browser.open(name)
    steps, many = browser.js("return page.timeline.length"), 20
    expect(steps == len(data["timeline"]), f"{name}: {steps} steps, not {len(data['timeline'])}")
    compared = sums = 0
    for first in range(0, steps, many):
        for at, read in enumerate(browser.js(READ, first, min(steps, first + many)), first):
            sums += sums_agree(read["sums"], f"{name}, step {at + 1}")
            for key, entry in wanted(data, at).items():
                compared += tensor_agrees(read["shown"].get(key), entry, f"{name}, step {at + 1}, {key}")
    return f"{steps} steps, {compared} numbers, {sums} sums"


def tensor_agrees(cells, entry, where):
    """Each element that the record knows is shown as it is, and no other."""
    known, whole = elements(entry)
    if not known:
        return 0
    expect(cells is not None, f"{where}: not shown")
    for index, text in cells.items():
        if index in known:
            expect(near(text, known[index]), f"{where}[{index}]: the page says {text}, the library computed {known[index]!r}")
        else:
            expect(not whole, f"{where}[{index}]: there is no such element")
    missing = set(known) - set(cells)
    expect(not missing, f"{where}: not to be seen: {sorted(missing)[:5]}, {len(missing)} in all")
    return len(known)
