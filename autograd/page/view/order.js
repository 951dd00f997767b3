// Why a node runs now, what was added up before it, and what a recursion without an order would do.
(() => {
  const { el } = page;
  // How often a naive recursion would run each node of a pass: the ways that lead to it from the result.
  const counted = new Map();
  const ways = (pass) => {
    if (counted.has(pass)) return counted.get(pass);
    const count = new Map(), steps = page.steps.filter((s) => s.pass === pass);
    let total = 0n;
    for (const step of steps) {
      const here = count.get(step.operation) || 1n;
      count.set(step.operation, here);
      total += here;
      for (const { to } of step.of_inputs) if (to !== null && to !== undefined) count.set(to, (count.get(to) || 0n) + here);
    }
    const found = { count, total, steps: steps.length };
    counted.set(pass, found);
    return found;
  };
  page.ways = ways;

  // A small pass by a recursion that does not wait, in shares of each node's true gradient: every visit adds what it brings and
  // sends on what the node has by then. Null where the contributions are no multiples of one another, so that shares mean nothing.
  const visits = (pass) => {
    if (ways(pass).steps > 12) return null;
    const steps = page.steps.filter((s) => s.pass === pass), byOperation = new Map(steps.map((s) => [s.operation, s]));
    const nodes = page.data.waits ? [...steps.map((s) => [s.operation, page.data.waits[s.id], s.of_outputs[0]]),
      ...(page.data.leaf_waits || []).filter((w) => w.pass === pass).map((w) => [w.operation, w, (page.record.passes[pass].arrived || []).find((a) => a.operation === w.operation)])] : [];
    if (!nodes.length || steps.some((s) => s.of_outputs.length > 1)) return null;
    const shares = new Map();  // of a gradient that goes on: its part of what arrives
    for (const [, waits, sum] of nodes) {
      if (!waits || !sum || !sum.numbers || !sum.numbers.all) return null;
      for (const c of waits.contributions) {
        if (c.from_step === null || c.from_step === undefined) continue;
        const k = page.steps[c.from_step].of_inputs.findIndex((g) => g.index === c.input), part = page.gradient(page.steps[c.from_step], k);
        const at = sum.numbers.all.findIndex((x) => typeof x === "number" && x !== 0);
        if (waits.contributions.length === 1) { shares.set(c.from_step + ":" + c.input, 1); continue; }
        if (!part || !part.numbers || !part.numbers.all || at < 0) return null;
        const share = part.numbers.all[at] / sum.numbers.all[at];
        if (!part.numbers.all.every((x, i) => Math.abs(x - share * sum.numbers.all[i]) <= 1e-5 * Math.abs(sum.numbers.all[at]))) return null;
        shares.set(c.from_step + ":" + c.input, share);
      }
    }
    const has = new Map(), runs = new Map();
    let left = 2000;
    const visit = (operation, share) => {
      has.set(operation, (has.get(operation) || 0) + share);
      runs.set(operation, (runs.get(operation) || 0) + 1);
      const step = byOperation.get(operation);
      if (!step || --left < 0) return;
      for (const g of step.of_inputs) if (g.to !== null && g.to !== undefined) visit(g.to, has.get(operation) * (shares.get(step.id + ":" + g.index) ?? 1));
    };
    visit(steps[0].operation, 1);
    return left < 0 ? null : { nodes, has, runs };
  };
  const drawVisits = (pass) => {
    const found = visits(pass);
    if (!found) return null;
    const { nodes, has, runs } = found;
    const list = (numbers, factor) =>
      numbers.all.slice(0, 3).map((x) => page.number(typeof x === "number" ? x * factor : x, 4)).join(", ") + (numbers.all.length > 3 ? ", …" : "");
    const rows = nodes.map(([operation, , sum]) => {
      const factor = has.get(operation) ?? 1, wrong = Math.abs(factor - 1) > 1e-6, name = page.result(operation)?.name ?? page.title(operation);
      const leaf = page.operations[operation].kind === "leaf";
      return el(
        "tr", {}, el("th", { scope: "row" }, name, leaf ? "" : el("span", { class: "note" }, " " + page.operations[operation].name)),
        el("td", { class: "number" }, "1"), el("td", { class: "number" }, String(runs.get(operation) ?? 0)),
        el("td", { class: "number" }, list(sum.numbers, 1)),
        el("td", { class: "number" }, wrong ? el("strong", { class: "bad" }, "✗ ", list(sum.numbers, factor)) : list(sum.numbers, 1)));
    });
    const wrong = nodes.some(([operation]) => Math.abs((has.get(operation) ?? 1) - 1) > 1e-6);
    return [
      el(
        "table", { class: "contributions" },
        el(
          "thead", {},
          el(
            "tr", {}, el("th", { scope: "col" }, page.t("node")),
            ["naive_once", "naive_often", "naive_right", "naive_gives"].map((key) => el("th", { scope: "col", class: "number" }, page.t(key))))),
        el("tbody", {}, rows)),
      wrong ? el("p", {}, page.t("naive_wrong")) : null
    ];
  };

  const timeOf = new Map();
  page.timeline.forEach((entry, index) => { if (entry.kind === "backward") timeOf.set(entry.of, index); });
  /// The contributions to a gradient, and their sum. `sum`: the gradient that resulted.
  page.drawContributions = (contributions, sum, element) => {
    const at = (gradient) =>
      (gradient && sum && String(gradient.shape) === String(sum.shape) && element !== null ? page.numbers(gradient).at(element) : undefined);
    const mine = (page.at().step || {}).id, most = 20;
    const shown = contributions.filter((c, k) => k < most || (mine !== undefined && c.from_step === mine));
    const rows = shown.map((c) => {
      const step = c.from_step === null || c.from_step === undefined ? null : page.steps[c.from_step];
      const k = step ? step.of_inputs.findIndex((g) => g.index === c.input) : -1;
      const operation = step && page.operations[step.operation];
      return el(
        "tr", {},
        el(
          "td", {},
          step ? page.linkTo(timeOf.get(c.from_step), page.t("from_step", { n: timeOf.get(c.from_step) + 1, name: operation.name })) : page.t("from_start")),
        el("td", {}, step ? page.t("through_input", { name: page.values[operation.inputs[c.input]]?.name ?? c.input }) : ""),
        el("td", { class: "number" }, c.norm === null || c.norm === undefined ? "" : page.short(c.norm)),
        el(
          "td", { class: "number" },
          step && k >= 0              ? page.number(at(page.gradient(step, k)), 5)
            : sum && element !== null ? page.number(page.numbers(sum).at(element), 5)
                                      : ""));
    });
    const several = contributions.length > 1;
    return el(
      "table", { class: "contributions" },
      el(
        "thead", {},
        el(
          "tr", {}, el("th", { scope: "col" }, page.t("gradient_from")), el("th", { scope: "col" }, page.t("through")),
          el("th", { scope: "col", class: "number" }, page.t("norm_word")),
          el(
            "th", { scope: "col", class: "number" },
            sum && element !== null ? sum.shape.length ? page.t("at_element", { index: page.index(element, sum.shape) }) : page.t("part_value")
                                    : ""))),
      el(
        "tbody", {}, rows,
        shown.length < contributions.length
          ? el("tr", {}, el("td", { colspan: 4, class: "note" }, page.t("more_bars", { n: contributions.length - shown.length })))
          : null),
      several ? el(
                  "tfoot", {},
                  el(
                    "tr", {}, el("th", { scope: "row", colspan: 2 }, page.t("added_up")), el("td", {}, ""),
                    el("td", { class: "number" }, sum && element !== null ? page.number(page.numbers(sum).at(element), 5) : "")))
              : null);
  };

  /// The section of a backward step.
  page.drawOrder = (step, element) => {
    const waits = (page.data.waits || [])[step.id], parts = [];
    const operation = page.operations[step.operation];
    if (waits) {
      const n = waits.contributions.length;
      if (step.completed !== false || waits.expected <= 1)
        parts.push(el(
          "p", {},
          page.t(
            waits.expected > 1                                 ? "waited"
              : n && waits.contributions[0].from_step === null ? "began"
                                                               : "came_alone",
            { n, all: waits.expected })));
      if (waits.expected > n) parts.push(el("p", { class: "warn" }, page.t("never_came", { n: waits.expected - n })));
      parts.push(page.drawContributions(waits.contributions, step.of_outputs[0], element));
      if (waits.expected > 1) parts.push(el("p", { class: "note" }, page.t("why_sum", { name: page.values[operation.outputs[0]]?.name ?? operation.name })));
    }
    parts.push(el("p", { class: "note" }, page.t("why_order", { n: step.operation })));
    const { count, total, steps } = ways(step.pass);
    if (step.completed !== false && total > BigInt(steps)) {
      const mine = count.get(step.operation) || 1n;
      const short = (n) => (n > 10n ** 15n ? "10^" + (String(n).length - 1) : String(n));
      parts.push(el(
        "div", { class: "naive" }, el("h4", {}, page.t("naive")),
        el(
          "p", {}, page.t("naive_here", { n: short(mine), times: Number(mine > 1000n ? 1000n : mine) }), " ",
          page.t("naive_all", { n: short(total), steps })),
        drawVisits(step.pass)));
    }
    return parts;
  };
})();
