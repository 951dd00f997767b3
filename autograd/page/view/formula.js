// Formulas: in symbols, with the numbers of the chosen element put in, and sums written out term by term.
(() => {
  const { math, el } = page;
  const space = "http://www.w3.org/1998/Math/MathML";
  const own = /^(math|m(row|i|n|o|text|space|frac|sqrt|root|sub|sup|subsup|under|over|underover|table|tr|td|padded|phantom|style|multiscripts|prescripts))$/;
  // Words between symbols ("if", "where") are the reader's language's, where the table has them.
  const word = (text) => (page.state.lang === "ru" ? text.replace(/\bthe\b/g, "") : text)
                           .replace(/[a-z]+/g, (each) => (Object.hasOwn(page.words.table, "math_" + each) ? page.t("math_" + each) : each));
  /// MathML from the data: only MathML's own elements and the marks are taken over, whatever else stands there is text.
  const copy = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.parentNode.localName === "mtext" ? word(node.data) : node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || node.namespaceURI !== space || !own.test(node.localName)) return "";
    // Of a formula's further rows those that define nothing (names alone) are left out.
    if (
      node.localName === "mtr" && node.parentNode.classList.contains("where") && node.previousElementSibling &&
      !/[=≈≤≥<>]/.test(node.textContent))
      return "";
    const made = document.createElementNS(space, node.localName);
    for (const { name, value } of node.attributes)
      if (/^(data-(in|out|dy|dx|attr)|display|mathvariant|largeop|movablelimits|width|stretchy|class|columnalign|form|lspace|rspace)$/.test(name))
        made.setAttribute(name, value);
    made.append(...[...node.childNodes].map(copy));
    return made;
  };
  const parsed = new Map();  // by language and text
  const parse = (text) => {
    const key = page.state.lang + text;
    if (!parsed.has(key)) parsed.set(key, read(text));
    return parsed.get(key)?.cloneNode(true) ?? null;
  };
  const read = (text) => {
    if (!/^\s*<math[\s>]/.test(text)) return null;
    const read = new DOMParser().parseFromString(text.includes("xmlns=") ? text : text.replace("<math", `<math xmlns="${space}"`), "application/xml");
    return read.querySelector("parsererror") ? null : copy(read.documentElement);
  };
  const number = (x) => math("mn", {}, page.number(x, 5));
  const signed = (x, bare) => (typeof x === "number" && x < 0 && !bare ? math("mrow", {}, math("mo", {}, "("), number(x), math("mo", {}, ")")) : number(x));

  // Whether a negative number here needs no brackets: at the beginning, after an opening one, a comma, or an equation's sign.
  const alone = (mark) => {
    const before = mark.previousElementSibling, after = mark.nextElementSibling;
    const opens = !before || (before.localName === "mo" && /^[=([{|,≈≤≥<>\u2061]$/.test(before.textContent));
    return opens && !(after && /^(msup|msub)$/.test(after.localName));
  };
  // A narrow space is a product: between letters it needs no sign, numbers would run together.
  const multiply = (tree) => {
    for (const gap of tree.querySelectorAll('mspace[width="0.17em"]')) {
      const [before, after] = [gap.previousElementSibling, gap.nextElementSibling];
      if (before && after && ![before, after].some((m) => /^(mo|mtext|mspace)$/.test(m.localName))) gap.replaceWith(math("mo", {}, "·"));
    }
  };

  /// A formula of the table as an element; with `values(kind, name)` the marked letters become numbers.
  page.drawFormula = (text, values = null) => {
    const tree = parse(text);
    if (!tree) return el("p", { class: "formula plain-text" }, text);
    if (values) {
      // A formula whose one operand is not marked: x is it.
      if (!tree.querySelector("[data-in]")) for (const letter of tree.querySelectorAll("mi"))
          if (
            letter.textContent === "x" && !(letter.previousElementSibling && letter.previousElementSibling.textContent === "d") &&
            !letter.parentNode.localName.startsWith("mover"))
            letter.setAttribute("data-in", "0");
      for (const kind of ["in", "out", "dy", "dx", "attr"])
        for (const mark of tree.querySelectorAll(`[data-${kind}]`)) {
          const x = values(kind, mark.getAttribute("data-" + kind));
          if (x === undefined || x === null) continue;
          mark.replaceWith(signed(x, !/^(msup|msub)$/.test(mark.parentNode.localName) && alone(mark)));
        }
    }
    if (values) multiply(tree);
    tree.setAttribute("display", "block");
    for (const text of tree.querySelectorAll("mtext"))
      if (/^where\s*$/.test(text.textContent)) text.replaceWith(math("mtext", { class: "where" }, page.t("where") + "\u00a0"));
    return el(
      "div", {
        class: "formula" + (values ? " with-numbers" : ""),
        tabindex: "0",
        role: "group",
        "aria-label": page.t(values ? "formula_numbers" : "formula")
      },
      tree);
  };

  /// left = the terms, added, = result. Terms: [a, b] are products, [a] alone; how: "sum", "mean", "max".
  page.drawSum = (left, terms, result, { how = "sum", plus } = {}) => {
    const first = 4, cut = terms.length > first + 2;
    const shownTerms = cut ? [...terms.slice(0, first), null, terms.at(-1)] : terms;
    // Each term is a formula of its own, so that a long sum breaks into lines.
    const pieces = [], join = how === "max" ? "," : "+";
    const piece = (...inside) => pieces.push(math("math", {}, math("mrow", {}, ...inside)));
    const open = how === "max" ? [math("mi", {}, "max"), math("mo", {}, "(")] : how === "mean" ? [math("mo", {}, "(")] : [];
    piece(math("mtext", {}, page.clip(left, 60)), math("mo", {}, "="), ...open);
    shownTerms.forEach((term, k) => {
      const before = k ? [math("mo", { form: "infix" }, join)] : [];
      if (term === null) piece(...before, math("mo", {}, "…"));
      else if (term.length > 1) piece(...before, signed(term[0], k === 0), math("mo", {}, "·"), signed(term[1]));
      else piece(...before, signed(term[0], k === 0));
    });
    if (how === "max") piece(math("mo", { form: "postfix" }, ")"));
    if (how === "mean") piece(math("mo", { form: "postfix" }, ")"), math("mo", {}, "/"), math("mn", {}, String(terms.length)));
    if (plus !== undefined) piece(math("mo", { form: "infix" }, "+"), signed(plus));
    const end = math("math", { class: "total" }, math("mrow", {}, math("mo", { form: "infix" }, "="), number(result)));
    return el("div", { class: "formula with-numbers sum", role: "group", "aria-label": page.t("formula_numbers") }, pieces.flatMap((p) => [p, " "]), end,
      cut ? el("p", { class: "note" }, page.t("terms", { n: terms.length })) : null);
  };

  // What is shown where no formula is known: the call with its names.
  page.drawCall = (operation) => {
    const name = (v) => (v === null ? "·" : page.clip(page.values[v].name, 40));
    return el("div", { class: "formula" }, math("math", { display: "block" }, math("mrow", {},
      math("mi", {}, operation.outputs.map(name).join(", ")), math("mo", {}, "="), math("mi", { mathvariant: "normal" }, page.clip(operation.name, 40)),
      math("mo", {}, "("), operation.inputs.flatMap((v, k) => [k ? math("mo", {}, ",") : "", math("mi", {}, name(v))]), math("mo", {}, ")"))));
  };
})();
