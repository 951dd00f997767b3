// What the sections of the panel are made with.
(() => {
  const { el } = page;
  const section = (key, ...children) => {
    const inside = children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false);
    return inside.length ? el("section", { class: "part " + key }, el("h3", {}, page.t("part_" + key)), inside) : null;
  };
  const value = (v) => (v === null || v === undefined ? null : page.values[v]);
  const letters = (operation) => {
    const entry = page.formula(operation) || {};
    return { inputs: entry.inputs || [], outputs: entry.outputs || [] };
  };
  // "x = d": the formula's letter and the value's name.
  const named = (letter, v) => (letter && letter !== "?" && letter !== v.name ? letter + " = " + v.name : v.name);

  const chosen = (size) => {
    const flat = Number(page.state.element);
    return page.state.element !== null && Number.isInteger(flat) && flat >= 0 && flat < size ? flat : null;
  };
  const choose = (tensor) => (flat) => page.go({ tensor, element: String(flat) }, { replace: true });

  /// An attribute that is a number, or undefined.
  const attribute = (operation, name) => {
    const text = operation.attributes?.[name], x = text === undefined || text === "" ? NaN : Number(text);
    return Number.isNaN(x) ? undefined : x;
  };

  // "slice × 12, matmul".
  const counted = (names) => {
    const count = new Map();
    for (const name of names) count.set(name, (count.get(name) || 0) + 1);
    return [...count].map(([name, n]) => (n > 1 ? name + " × " + n : name)).join(", ");
  };
  const seenBy = (v, base) => {
    const n = page.product(v.shape), seen = [];
    if (n <= 4096) for (let i = 0; i < n; i++) {
      const at = page.elementAt(base, page.storageAt(v, page.unravel(i, v.shape)));
      if (at !== null) seen.push(at);
    }
    return seen;
  };
  // What a view shows of its base; the picture of a base that stands among the operands is there.
  const view = (v, element, operands = []) => {
    const base = page.baseOf(v);
    if (!base) return null;
    const n = page.product(v.shape);
    const picture = operands.includes(base.id)
      ? null
      : page.heat({ entry: base, key: "base" + v.id, title: base.name, lit: seenBy(v, base), note: page.t("base_of", { name: v.name }) });
    const index = element === null ? [] : page.unravel(element, v.shape);
    const sum = index.map((i, d) => i + "·" + v.strides[d]).join(" + ");
    return [
      el(
        "p", { class: "note" }, page.t("view_of", { name: v.name, base: base.name, n, all: page.product(base.shape) }), " ",
        sum
          ? page.t(
              "view_place", { name: v.name + page.index(element, v.shape), offset: v.offset, sum, at: page.storageAt(v, index), storage: v.storage })
          : ""),
      picture
    ];
  };
  /// What computed a constant, the latest first: "mul (train.cpp:12) ← exp (train.cpp:11)"; "" where that is not known.
  page.madeBy = (v) => (v?.made_by || [])
                         .map((m) => m.name + (m.file ? " (" + m.file.split("/").pop() + ":" + m.line + ")" : ""))
                         .join(" ← ");
  page.constantNote = (v) => { const made = page.madeBy(v); return made ? page.t("constant_made", { list: made }) : page.t("constant"); };

  page.parts = { section, value, letters, named, chosen, choose, counted, attribute, seenBy, view };
})();
