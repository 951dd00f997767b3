// The panel of a forward step: formula, numbers, result, operands.
(() => {
  const { el } = page;
  const { section, value, letters, named, chosen, choose, attribute, seenBy, view } = page.parts;
  const attributes = (operation) => {
    const entries = Object.entries(operation.attributes || {});
    return entries.length
      ? el("dl", { class: "attributes" }, entries.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(text)))))
      : null;
  };

  page.parts.forward = (operation) => {
    const main = value(operation.outputs[0]), at = main ? chosen(page.product(main.shape)) : null;
    const element = page.state.tensor === null || page.state.tensor === "out0" ? at ?? (main && page.product(main.shape) ? 0 : null) : null;
    const reads = main && element !== null ? page.reads(operation, 0, element) : null;
    const letter = letters(operation), kind = page.kind(operation), entry = page.formula(operation);
    const known = (v) => page.numbers(v);
    const parts = [];
    const text = (entry && entry.forward) || operation.formula;
    parts.push(text ? page.drawFormula(text) : page.drawCall(operation));
    if (!text) parts.push(el("p", { class: "note" }, page.t("no_formula")));
    if (reads && element !== null) {
      const numberAt = (k) => { const v = value(operation.inputs[k]); return v && reads.lit[k]?.length === 1 ? known(v).at(reads.lit[k][0]) : undefined; };
      const result = known(main).at(element), left = main.name + page.index(element, main.shape);
      if (kind === "elementwise" && text && !reads.sum) {
        parts.push(page.drawFormula(
          text,
          (what, name) => what === "in" ? numberAt(Number(name))
            : what === "out"            ? known(value(operation.outputs[Number(name)])).at(element)
            : what === "attr"           ? attribute(operation, name)
                                        : undefined));
      } else if (reads.terms) {
        const { terms } = reads, a = known(value(operation.inputs[terms.a])), b = terms.alone ? null : known(value(operation.inputs[terms.b]));
        const numbers = terms.pairs.map(([i, j]) => (b ? [a.at(i), b.at(j)] : [a.at(i)]));
        if (numbers.every((t) => t.every((x) => x !== undefined)))
          parts.push(page.drawSum(left, numbers, result, {
            how: terms.takes || "sum",
            plus: terms.plusAt !== undefined ? known(value(operation.inputs[terms.plus])).at(terms.plusAt) : undefined
          }));
        else parts.push(el("p", { class: "note" }, page.t("terms_unknown", { n: numbers.length })));
      } else if (reads.sum && reads.lit[0]) {
        const v = value(operation.inputs[0]), numbers = reads.lit[0].map((i) => [known(v).at(i)]);
        const how = /^(sum|nansum|sum_to_size)$/.test(operation.name) ? "sum"
          : /^mean$/.test(operation.name)                             ? "mean"
          : /^(max|amax)$/.test(operation.name)                       ? "max"
                                                                      : null;
        if (how && numbers.length && numbers.every(([x]) => x !== undefined)) parts.push(page.drawSum(left, numbers, result, { how }));
        else parts.push(el("p", { class: "note" }, page.t("made_of", { n: reads.lit[0].length })));
      }
    }
    const outputs = operation.outputs.map(value).map((v, k) => v && [
      page.heat({
        entry: v,
        key: "out" + k,
        title: named(letter.outputs[k], v),
        name: v.name,
        chosen: k === 0                     ? element
          : page.state.tensor === "out" + k ? chosen(page.product(v.shape))
                                            : null,
        choose: choose("out" + k)
      }),
      k === 0 ? view(v, element, operation.inputs) : null
    ]);
    const back = (k) => (flat) => { // an element of an input: the first of the result that is made of it
      const feeds = main ? page.feeds(operation, 0, k, flat) : null;
      if (feeds && feeds.dy.length) choose("out0")(feeds.dy[0]);
      else choose("in" + k)(flat);
    };
    const inputs = operation.inputs.map((id, k) => {
      const v = value(id), based = v && main && page.baseOf(main) === v, from = based && reads && reads.lit[k] ? reads.lit[k][0] : null;
      return v && page.heat({
        entry: v,
        key: "in" + k,
        title: named(letter.inputs[k], v),
        name: v.name,
        note: v.kind === "result" ? null : v.kind === "leaf" ? page.t("leaf") : page.constantNote(v),
        lit: based ? seenBy(main, v) : (reads && reads.lit[k]) || [],
        chosen: page.state.tensor === "in" + k ? chosen(page.product(v.shape)) : from ?? null,
        choose: back(k)
      });
    });
    return [section("formula", parts, attributes(operation)), section("results", outputs), section("inputs", inputs)];
  };
})();
