// The panel at the end of a pass: how it ended, and whom it did not reach.
(() => {
  const { el } = page;
  // An exception that came out of no step: of a hook on a leaf, of what a pass does at its end.
  const how = ({ end, error, failed }, step) => {
    if (end === "open") return el("p", { class: "warn" }, page.t("ended_open"));
    if (!error || step.error) return null;
    const name = failed === null || failed === undefined ? null : page.title(failed);
    return el("p", { class: "warn bad" }, el("strong", {}, page.t(name ? "ended_at" : "ended_beside", { name })), page.errorText(error));
  };
  const reached = (pass) => {
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
    const none = leaves.filter((o) => !arrived.has(o.id)), zeros = leaves.filter(zero);
    if (!leaves.length) return null;
    return [
      none.length ? el("p", { class: "warn" }, page.t("end_none", { list: page.titles(none.map((o) => o.id)) })) : null,
      zeros.length ? el("p", { class: "warn" }, page.t("end_zero", { list: page.titles(zeros.map((o) => o.id)) })) : null,
      none.length || zeros.length ? null : el("p", {}, page.t("end_all"))
    ];
  };
  /// Of a pass's last step.
  page.parts.ended = (step) => {
    const pass = page.record.passes?.[step.pass] || {};
    return [how(pass, step), pass.end === undefined || pass.end === "complete" ? reached(step.pass) : null];
  };
})();
