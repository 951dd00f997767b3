"""Both languages: the table of words is complete, and what is visible in one has no word of the other."""
import re

from browser import expect

# All words that a reader sees or hears, where they stand: text, labels, titles, placeholders; not what is the reader's own
# (code) or drawn from data into places of their own.
VISIBLE = """
const found = [];
const add = (text) => { if (text && text.trim()) found.push(text.trim()); };
const walk = (node) => {
  if (node.nodeType === Node.TEXT_NODE) return add(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE || /^(script|style|noscript)$/i.test(node.tagName) || node.matches(".code pre, [data-tool=lang]")) return;
  for (const name of ["aria-label", "title", "placeholder", "aria-valuetext", "aria-roledescription", "alt"]) if (node.hasAttribute(name)) add(node.getAttribute(name));
  for (const child of node.childNodes) walk(child);
};
walk(document.body);
add(document.title);
return found;
"""
# What may stand in Latin letters in a Russian page: units, keys, names of formats, and the names that programs have.
INTERNATIONAL = set("""B kB MB GB TB KiB MiB GiB TiB SVG NaN Home End Shift Enter Esc detach no_grad PageUp PageDown Gradus L e inf nan
  C O G T B N formula autograd check Op""".split())
WORD = re.compile(r"[A-Za-z_][A-Za-z_]*")


def of_data(data, language):
    """Words that come from the user's program: names of operations, values, modules, files, attributes."""
    record, found = data["record"], []
    for operation in record["operations"]:
        found += [operation["name"], operation.get("module") or "", operation.get("file") or ""]
        for key, value in (operation.get("attributes") or {}).items():
            found += [key, str(value)]
    for value in record["values"]:
        found += [value["name"], value["dtype"]]
    for container in data["layout"]["containers"]:
        # "backward 1" names a pass, and the page has its own word for it
        found += [container["path"], re.sub(r"^backward( \\d+)?$", "", container.get("label") or "")]
    found += [update["optimizer"] for update in record.get("updates") or []]
    found += [stop.get("name") or "" for stop in data.get("stops") or []] + [stop.get("file") or "" for stop in data.get("stops") or []]
    for step in record["steps"]:
        found += (step.get("reference") or {}).get("operations") or []
    found += [entry.get("error") or "" for entry in record["steps"] + record["passes"]]
    found += [maker["name"] + " " + (maker["file"] or "") for value in record["values"] for maker in value["made_by"]]
    for formula in (data.get("formulas") or {}).values():
        for text in [formula.get("forward") or ""] + [g or "" for g in formula.get("gradients") or []]:
            found.append(re.sub(r"<mtext>(?!\w+_\w+<).*?</mtext>|<[^>]*>", " ", text))
        found += (formula.get("inputs") or []) + (formula.get("outputs") or [])
        found += ["d" + name for name in formula.get("inputs") or []]
    found.append(data["title"])
    words = set()
    for text in found:
        words |= set(WORD.findall(text))
    return words


def table(browser):
    """Each entry is there in both languages, and differs unless it has nothing to translate."""
    browser.open("mlp")
    wrong = []
    for key, entry in browser.js("return page.words.table").items():
        english, russian = entry
        bare = re.sub(r"\{[^{}]*\}", "", english)
        if re.search("[А-Яа-яЁё]", english) and key != "lang_other":
            wrong.append(f"{key}: Russian in English: {english}")
        words = set(WORD.findall(re.sub(r"\{\w+|`\w+`", "", russian)))
        if not russian.strip() or not english.strip():
            wrong.append(f"{key}: empty")
        elif key != "lang_other" and russian == english and set(WORD.findall(bare)) - INTERNATIONAL:
            wrong.append(f"{key}: not translated: {russian}")
        elif key != "lang_other" and words - INTERNATIONAL:
            wrong.append(f"{key}: English in Russian: {russian}")
        if set(re.findall(r"\{(\w+)", english)) != set(re.findall(r"\{(\w+)", russian)):
            wrong.append(f"{key}: other values are put in: {english} | {russian}")
    expect(not wrong, "the table of words: " + "; ".join(wrong))
    script = browser.js("return [...document.scripts].filter((s) => !s.id).map((s) => s.textContent).join('\\n')")
    called = set(re.findall(r"""page\.t\(\s*["']([\w-]+)["']""", script)) | set(re.findall(r"""page\.t\([^()]*\?\s*["'](\w+)["']\s*:\s*["']\w+["']""", script))
    known = set(browser.js("return Object.keys(page.words.table)"))
    unknown = sorted(key for key in called if key not in known and not (key.endswith("_") and any(k.startswith(key) for k in known)))
    expect(not unknown, "words that are in no table: " + ", ".join(unknown))
    return browser.js("return Object.keys(page.words.table).length")


def spy(browser):
    """From now on the page remembers each word that it asks for and does not have."""
    browser.js("""if (page.missing) return;
      page.missing = new Set();
      const t = page.t;
      page.t = (key, values) => { if (!Object.hasOwn(page.words.table, key)) page.missing.add(key); return t(key, values); };""")


def check(browser, name, steps):
    data = browser.data(name)
    browser.open(name)
    spy(browser)
    russian_of_data = any(re.search("[А-Яа-яЁё]", word) for word in [data["title"]])
    seen = 0
    for language in ("ru", "en"):
        allowed = of_data(data, language) | INTERNATIONAL
        browser.go(lang=language, outline="1")
        for at in steps:
            browser.go(step=at)
            for _ in range(2):  # with the list of keys, and without
                browser.js("page.help()")
                for text in browser.js(VISIBLE):
                    seen += 1
                    if language == "ru":
                        found = [w for w in WORD.findall(text) if w not in allowed]
                        expect(not found, f"{name}, step {at + 1}: English in the Russian page: {' '.join(found)} in {text[:120]!r}")
                    elif not russian_of_data:
                        expect(not re.search("[А-Яа-яЁё]", text), f"{name}, step {at + 1}: Russian in the English page: {text[:120]!r}")
        expect(browser.js("return document.documentElement.lang") == language, f"{name}: the page's language is not {language}")
    missing = browser.js("return [...page.missing].filter((key) => !/^(why_|legend_)/.test(key) && !/\\W/.test(key))")
    expect(not missing, f"{name}: words that are in no table: {missing}")
    return f"{seen} texts"
