// The panel: all about the step, or about the node that is looked at.
(() => {
  const { el } = page;
  const root = document.getElementById("panel");
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

  // "slice × 12, matmul".
  const counted = (names) => {
    const count = new Map();
    for (const name of names) count.set(name, (count.get(name) || 0) + 1);
    return [...count].map(([name, n]) => (n > 1 ? name + " × " + n : name)).join(", ");
  };

  // ---- attributes, warnings, head
  const head = (operation, kind, time) => {
    const path = page.pathOf(operation.id);
    return el(
      "header", {},
      el(
        "p", { class: "over" }, el("span", { class: "kind" }, page.t(kind)),
        path ? el("span", {}, page.t("col_module") + " ", el("b", {}, path)) : null,
        operation.rule ? el("span", { class: "tag" }, page.t("by_hand")) : null),
      el("h2", {}, page.title(operation.id)),
      time !== null && time !== page.state.step
        ? el("button", { type: "button", class: "plain go", click: () => page.go({ step: time }) }, page.t("go_to_step", { n: time + 1 }))
        : null);
  };
  const attributes = (operation) => {
    const entries = Object.entries(operation.attributes || {});
    return entries.length
      ? el("dl", { class: "attributes" }, entries.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(text)))))
      : null;
  };
  // Integers beside a result (places of maxima) stop nothing.
  const beside = (s) =>
    s.why === "integer" && s.from_operation !== null && s.from_operation !== undefined && page.operations[s.from_operation].outputs.length > 1;
  const stopsOf = (operation) =>
    (page.data.stops || [])
      .filter((s) => !beside(s))
      .filter((s) => s.from_operation === operation.id || operation.inputs.includes(s.value) || operation.outputs.includes(s.from_value));
  const stops = (operation) => stopsOf(operation).map((s) => el("p", { class: "warn" }, el("strong", {}, "⊣ "),
    page.t("stop_" + s.why, { name: value(s.value)?.name ?? "", of: s.name || "" }) , s.file ? " (" + s.file + ":" + s.line + ")" : ""));
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

  // ---- forward
  const forward = (operation) => {
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
            : what === "attr"           ? Number(operation.attributes[name]) || undefined
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
        note: v.kind === "result" ? null : page.t(v.kind === "leaf" ? "leaf" : "constant"),
        lit: based ? seenBy(main, v) : (reads && reads.lit[k]) || [],
        chosen: page.state.tensor === "in" + k ? chosen(page.product(v.shape)) : from ?? null,
        choose: back(k)
      });
    });
    return [section("formula", parts, attributes(operation)), section("results", outputs), section("inputs", inputs)];
  };

  // At the end of a pass: whom it did not reach.
  const ended = (pass) => {
    const arrived = new Map(((page.record.passes || [])[pass]?.arrived || []).map((a) => [a.operation, a]));
    // Leaves of what was recorded since the pass before, and of what hangs together with this pass.
    const mine = new Set(page.steps.filter((s) => s.pass === pass).map((s) => s.operation)), used = new Set(), beside = new Map();
    const starts = page.backwardStarts.filter((t) => page.steps[page.timeline[t].of].pass < pass), since = starts.length ? Math.max(...starts) : -1;
    const now = page.backwardStarts.find((t) => page.steps[page.timeline[t].of].pass === pass) ?? Infinity;
    for (const e of page.layout.edges) {
      if (e.from === null) continue;
      page.push(beside, e.to, e.from);
      if (page.operations[e.from].kind === "operation") page.push(beside, e.from, e.to);
      const t = page.times[e.to].forward;
      if (t !== null && t > since && t < now) used.add(e.from);
    }
    for (const id of mine) for (const next of beside.get(id) || []) {
      if (page.operations[next].kind !== "operation") used.add(next);
      else if ((page.times[next].forward ?? -1) < now) mine.add(next);
    }
    const leaves = page.operations.filter((o) => o.kind === "leaf" && used.has(o.id));
    const zero = (o) => {
      const n = arrived.get(o.id)?.numbers;
      return n && (n.all ? n.all.length > 0 && n.all.every((x) => x === 0) : n.min === 0 && n.max === 0);
    };
    const list = (all) => all.slice(0, 8).map((o) => page.title(o.id)).join(", ") + (all.length > 8 ? ", …" : "");
    const none = leaves.filter((o) => !arrived.has(o.id)), zeros = leaves.filter(zero);
    if (!leaves.length) return null;
    return [
      none.length ? el("p", { class: "warn" }, page.t("end_none", { list: list(none) })) : null,
      zeros.length ? el("p", { class: "warn" }, page.t("end_zero", { list: list(zeros) })) : null,
      none.length || zeros.length ? null : el("p", {}, page.t("end_all"))
    ];
  };

  // ---- backward
  const backward = (operation, step) => {
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
    if (!step.completed) parts.push(el("p", { class: "warn bad" }, page.t("failed")));
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
      parts.push(text ? page.drawFormula(text) : el("p", { class: "note" }, page.t("no_rule")));
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
            : what === "attr"           ? Number(operation.attributes[name]) || undefined
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
      section("end", page.steps.findLast((s) => s.pass === step.pass) === step ? ended(step.pass) : null),
      section("rule", parts), section("came", incoming), section("goes_on", outgoing),
      section("order", page.drawOrder(step, came && page.product(came.shape) ? (feeds && feeds.dy[0]) ?? 0 : null), leaves), section("kept", read)
    ];
  };

  // ---- an optimizer's step, a leaf
  const updated = (update, leaf) => {
    const size = update.after ? page.product(update.after.shape) : 0, element = size ? chosen(size) ?? 0 : null;
    const at = (entry) => (entry && element !== null ? page.numbers({ shape: leaf.shape, ...entry }).at(element) : undefined);
    const picture = (entry, key, title) => entry && page.heat({ entry: { dtype: leaf.dtype, ...entry }, key, title, chosen: element, choose: choose(key) });
    return [
      section(
        "update", el("p", {}, page.t("stepped", { optimizer: update.optimizer, name: leaf.name })),
        element !== null ? el(
                             "p", { class: "moved" },
                             leaf.name + page.index(element, leaf.shape) + ": " + page.number(at(update.before), 6) + " → " +
                               page.number(at(update.after), 6) + "  (" + page.t("gradient_word") + " " + page.number(at(update.gradient), 5) + ")")
                         : null,
        typeof at(update.after) === "number" && typeof at(update.before) === "number"
          ? el(
              "p", { class: "note" }, page.t("changed_by", { x: page.number(at(update.after) - at(update.before), 4) }),
              at(update.gradient) && Math.abs(at(update.after) - at(update.before)) < 1e3 * Math.abs(at(update.gradient))
                ? ", " + page.t("per_gradient", { x: page.number((at(update.after) - at(update.before)) / at(update.gradient), 4) })
                : "")
          : null),
      section(
        "results", picture(update.before, "before", page.t("before")), picture(update.gradient, "gradient", page.t("gradient_word")),
        picture(update.after, "after", page.t("after")))
    ];
  };
  const leafPart = (operation) => {
    const all = operation.outputs.map(value).filter(Boolean);
    const arrived = (page.record.passes || []).flatMap((pass) => (pass.arrived || []).filter((a) => a.operation === operation.id).map((a) => [pass, a]));
    return [
      section(
        "value",
        all.map(
          (v, k) =>
            [page.heat({
              entry: v,
              key: "leaf" + k,
              title: v.name,
              chosen: page.state.tensor === "leaf" + k ? chosen(page.product(v.shape)) : null,
              choose: choose("leaf" + k)
            }),
             view(v, null)])),
      section("arrived", arrived.map(([pass, a]) => {
        const w = (page.data.leaf_waits || []).find((each) => each.pass === pass.id && each.operation === operation.id);
        return [
          page.heat(
            { entry: a, key: "arrived" + pass.id, title: "∂L/∂" + (all[0] ? all[0].name : ""), note: page.t("in_pass", { n: (pass.id ?? 0) + 1 }) }),
          w && w.contributions.length > 1 ? page.drawContributions(w.contributions, a, page.product(a.shape) ? 0 : null) : null
        ];
      }))
    ];
  };

  // ---- all of it
  const draw = () => {
    const kept = document.activeElement && root.contains(document.activeElement) ? document.activeElement.getAttribute("data-key") : null;
    const now = page.at(), node = page.state.node, id = node ?? now.operation, operation = id === null ? null : page.operations[id];
    root.setAttribute("aria-label", page.t("panel"));
    if (!operation) return page.fill(root, el("p", { class: "note" }, page.t("no_steps")));
    const own = node === null || node === now.operation, times = page.times[id];
    let kind = own ? now.kind : operation.kind === "operation" ? "forward" : "leaf_kind", body;
    const isLeaf = operation.kind !== "operation";
    if (own && now.kind === "backward") body = backward(operation, now.step);
    else if (own && now.kind === "update")
      body = updated(now.update, value(now.update.value ?? operation.outputs[0]) || { name: operation.name, shape: [], dtype: "" });
    else if (isLeaf) body = leafPart(operation);
    else body = forward(operation);
    const index = page.state.step;
    page.fill(root, head(operation, kind, own || isLeaf ? null : times.forward), stops(operation),
      section("code", page.drawCode(operation.file, operation.line, 1)), body,
      isLeaf ? null : section("saved", page.drawSaved(operation, index)));
    page.redrawHeat(root);
    if (kept) { const again = root.querySelector(`[data-key="${CSS.escape(kept)}"]`); if (again) again.focus({ preventScroll: true }); }
  };
  page.drawPanel = draw;
  page.on((state, changed) => {
    if (["step", "node", "element", "tensor", "panel", "lang", "theme"].some((name) => changed.has(name))) draw();
    if (scrolled && (changed.has("step") || changed.has("node"))) root.scrollTop = 0;
  });
  let scrolled = false;  // known without asking, which would lay out the page
  root.addEventListener("scroll", () => { scrolled = root.scrollTop > 0; }, { passive: true });
  let width = 0;
  new ResizeObserver(() => { if (root.clientWidth !== width) { width = root.clientWidth; page.redrawHeat(root, true); } }).observe(root);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.redrawHeat(root));
})();
