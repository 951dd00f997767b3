// The panel of a backward step: the local rule with its numbers, the gradients that came and go on, what was kept.
(() => {
  const { el } = page;
  const { section, value, letters, named, chosen, choose, counted, attribute } = page.parts;
  page.parts.backward = (operation, step) => {
    const letter = letters(operation), entry = page.formula(operation), kind = page.kind(operation), main = value(operation.outputs[0]);
    const ways = step.reference ? ["hand", "reference", "difference"] : [];
    const large = page.differs(step), first = large ? "difference" : "hand", way = ways.includes(page.state.panel) ? page.state.panel : first;
    const gradients = step.of_inputs.map((gradient, place) => {
      const own = page.gradient(step, place), other = step.reference && step.reference.of_inputs.find((g) => g.index === gradient.index);
      if (way === "reference" && other) return { ...own, ...other };
      if (way === "difference" && other && other.numbers && own.numbers && own.numbers.all && other.numbers.all)
        return {
          ...own,
          numbers: {
            all: own.numbers.all.map((x, i) => (typeof x === "number" && typeof other.numbers.all[i] === "number" ? x - other.numbers.all[i] : "nan"))
          }
        };
      return own;
    });
    const asked = /^d(\d+)$/.exec(page.state.tensor || "");
    let place = asked ? step.of_inputs.findIndex((g) => g.index === Number(asked[1])) : 0;
    if (place < 0) place = 0;
    const looked = gradients[place], element = looked ? chosen(page.product(looked.shape)) ?? (page.product(looked.shape) ? 0 : null) : null;
    const came = step.of_outputs[0], feeds = looked && came && element !== null ? page.feeds(operation, came.index, looked.index, element) : null;
    const nameOfInput = (k) => { const v = value(operation.inputs[k]); return v ? named(letter.inputs[k], v) : String(k); };
    const d = (k) => "∂L/∂" + (value(operation.inputs[k])?.name ?? k);

    const parts = [];
    if (large) parts.push(el("p", { class: "warn bad" }, el("strong", {}, page.t("differs", { x: page.number(step.reference.difference, 3) }))));
    if (step.reference_error) parts.push(el("p", { class: "warn" }, page.t("reference_error", { text: String(step.reference_error) })));
    if (page.threw(step)) parts.push(el("p", { class: "warn bad" }, el("strong", {}, page.t("failed")), page.errorText(step.error)));
    else if (!step.completed) parts.push(el("p", { class: "warn" }, page.t("not_seen")));
    for (const change of step.changed || []) {
      const v = value(change.kind === "input" ? operation.inputs[change.index] : operation.outputs[change.index]);
      parts.push(
        el(
          "p", { class: "warn bad" }, page.t("changed", { name: v ? v.name : change.index, by: change.by || "?" }),
          change.file ? " " + change.file + ":" + change.line : ""),
        page.drawCode(change.file, change.line));
    }
    gradients.forEach((gradient, k) => {
      const text = entry && entry.gradients && entry.gradients[gradient.index];
      const short = letter.inputs[gradient.index];  // the formula's letter beside the value's name
      parts.push(el("h4", {}, (text && short && short !== "?" ? "d" + short + " = " : "") + d(gradient.index)));
      parts.push(text ? page.drawFormula(text) : el("p", { class: "note" }, page.t("no_rule"), ways.length ? "" : " " + page.t("unproved")));
      const mark = page.mark(page.normOf(step.id, "of_inputs", k));
      if (mark) parts.push(el("p", { class: "warn" }, page.t("mark_" + mark, { name: d(gradient.index) })));
      if (k !== place || !feeds || element === null) return;
      const numberOf = (v, flat) => (v ? page.numbers(v).at(flat) : undefined), dy = page.numbers(came);
      const result = page.numbers(page.gradient(step, k)).at(element), left = d(gradient.index) + page.index(element, gradient.shape);
      if (kind === "elementwise" && text && feeds.dy.length) {
        const i = feeds.dy[0], reads = page.reads(operation, came.index, i);
        parts.push(page.drawFormula(
          text,
          (what, name) => what === "dx" ? (feeds.dy.length === 1 ? result : undefined)
            : what === "dy"             ? dy.at(i)
            : what === "in"             ? numberOf(value(operation.inputs[Number(name)]), reads.lit[Number(name)]?.[0])
            : what === "out"            ? numberOf(value(operation.outputs[Number(name)]), i)
            : what === "attr"           ? attribute(operation, name)
                                        : undefined));
        if (feeds.dy.length > 1) parts.push(el("p", { class: "note" }, page.t("summed_down", { n: feeds.dy.length, x: page.number(result, 5) })));
      } else if (feeds.terms) {
        const other = value(operation.inputs[feeds.terms.other]);
        const numbers = feeds.terms.pairs.map(([i, j]) => [dy.at(i), numberOf(other, j)]);
        if (numbers.every((t) => t.every((x) => x !== undefined))) parts.push(page.drawSum(left, numbers, result));
        else parts.push(el("p", { class: "note" }, page.t("terms_unknown", { n: numbers.length })));
      } else if (feeds.dy.length && (kind === "product" || kind === "window")) {
        const numbers = feeds.dy.map((i) => [dy.at(i)]);
        if (!/pool/.test(operation.name) && numbers.every(([x]) => x !== undefined)) parts.push(page.drawSum(left, numbers, result));
      }
    });
    if (ways.length) {
      parts.push(
        el(
          "fieldset", { class: "ways" }, el("legend", {}, page.t("ways")),
          ways.map(
            (w) => el(
              "label", {}, el("input", {
                type: "radio",
                name: "way",
                value: w,
                checked: w === way,
                "data-key": "way-" + w,
                "data-own-keys": true,
                change: () => page.go({ panel: w === first ? null : w }, { replace: true })
              }),
              " ", page.t("way_" + w)))),
        large ? null : el("p", { class: "note" }, page.t(step.reference.difference === 0 ? "identical" : "agrees", { x: page.number(step.reference.difference, 3) })),
        el("p", { class: "note" }, page.t("reference_is"), " ", page.t("reference_of", { list: counted(step.reference.operations || []) })));
    }
    const incoming = step.of_outputs.map((gradient) => {
      const v = value(operation.outputs[gradient.index]);
      return page.heat({
        entry: gradient,
        key: "dy" + gradient.index,
        title: "∂L/∂" + (v ? v.name : gradient.index),
        lit: feeds && gradient === came ? feeds.dy : [],
        choose: (flat) => {  // the first element of the gradient below that it goes to
          const reads = looked && page.reads(operation, gradient.index, flat), to = reads && reads.lit[looked.index];
          if (to && to.length) choose("d" + looked.index)(to[0]);
        }
      });
    });
    const outgoing = gradients.map((gradient) => page.heat({
      entry: gradient,
      key: "d" + gradient.index,
      title: (way === "difference" ? "Δ " : "") + d(gradient.index),
      note: gradient.to === null || gradient.to === undefined ? page.t("goes_nowhere") : page.t("goes_to", { name: page.title(gradient.to) }),
      chosen: gradient === looked ? element : null,
      choose: choose("d" + gradient.index)
    }));
    const partner = feeds && feeds.terms ? feeds.terms.pairs.map((p) => p[1]) : null;
    const read = operation.saved
                   .map((kept) => [kept, value(kept.value ?? (kept.kind === "input" ? operation.inputs[kept.index] : operation.outputs[kept.index]))])
                   .filter(([, v]) => v)
                   .map(([kept, v], n) => page.heat({
                     entry: v,
                     key: "kept" + n,
                     title: kept.kind === "input" ? nameOfInput(kept.index) : named(letter.outputs[kept.index], v),
                     name: v.name,
                     note: page.t("kept_from", { n: (page.times[operation.id].forward ?? 0) + 1 }),
                     lit: kept.kind === "input" && partner && kept.index === feeds.terms.other ? partner
                       : kind === "elementwise" && feeds && feeds.dy.length
                       ? (kept.kind === "output" ? [feeds.dy[0]] : page.reads(operation, came.index, feeds.dy[0])?.lit[kept.index] || [])
                       : []
                   }));
    const leaves =
      [...new Set(step.of_inputs.map((gradient) => gradient.to))]
        .map((to) => (page.data.leaf_waits || []).find((w) => w.pass === step.pass && w.operation === to))
        .filter(Boolean)
        .filter((w) => w.expected > 1)
        .map((w) => {
          const arrived = page.record.passes[step.pass].arrived.find((a) => a.operation === w.operation);
          return [
            el("h4", {}, page.t("at_leaf", { name: page.title(w.operation), n: w.expected })),
            page.drawContributions(w.contributions, arrived, arrived && element !== null && element < page.product(arrived.shape) ? element : null)
          ];
        });
    return [
      section("end", page.steps.findLast((s) => s.pass === step.pass) === step ? page.parts.ended(step) : null),
      section("rule", parts), section("came", incoming), section("goes_on", outgoing),
      section("order", page.drawOrder(step, came && page.product(came.shape) ? (feeds && feeds.dy[0]) ?? 0 : null), leaves), section("kept", read)
    ];
  };
})();
