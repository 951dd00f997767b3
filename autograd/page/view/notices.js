// What deserves a look: where gradients stop, vanish, explode or are no numbers, where a rule and its reference disagree, where
// backward broke off. Found in the data, so that a reader who looks for a fault knows where to begin.
(() => {
  const { el, operations, steps, values, times, timeline } = page;
  const stepTime = new Map();
  timeline.forEach((entry, index) => { if (entry.kind === "backward") stepTime.set(entry.of, index); });
  const found = [];
  /// Whether a rule's gradient is another than its reference's.
  page.differs = ({ reference }) => !!reference && (typeof reference.difference === "string" || reference.difference > 1e-3);
  const add = (step, key, more, rest = {}) => { if (step !== undefined && step !== null) found.push({ step, key, more, ...rest }); };
  // The text of an error behind a notice: its first line.
  const error = (text) => (text ? page.clip(text.split("\n")[0], 300) : null);

  const seen = new Set();  // of each pass the first of a kind
  const once = (pass, kind) => !seen.has(pass + kind) && seen.add(pass + kind);
  const steepest = new Map();
  for (const step of steps) {
    const index = stepTime.get(step.id), name = page.title(step.operation);
    if (page.threw(step)) {
      // Who has since written into what it saved?
      const kept = new Set((operations[step.operation].saved || []).map((s) => s.storage).filter((s) => s !== null));
      const writer = operations.find((o) => o.id > step.operation && /[^_]_$/.test(o.name) && o.outputs.some((v) => v !== null && kept.has(values[v].storage)));
      if (writer) add(times[writer.id].forward, "note_overwrites", { name: page.title(writer.id), other: name, n: index + 1 });
      add(
        index, writer ? "note_in_place" : step.error ? "note_threw" : "note_broke",
        { name, error: error(step.error), writer: writer && page.title(writer.id), n: writer && times[writer.id].forward + 1 });
    }
    const reference = step.reference;
    if (page.differs(step)) add(index, "note_reference", { name, x: page.number(reference.difference, 3) });
    if (step.reference_error) add(index, "note_reference_error", { name });
    const wait = (page.data.waits || [])[step.id], alone = wait && wait.expected === 1 && wait.contributions.length === 1 && wait.contributions[0].norm;
    const whole = alone ? page.gradientNorm(step.id, "of_outputs", Math.max(0, step.of_outputs.findIndex((g) => g.index === wait.contributions[0].output))) : null;
    if (typeof alone === "number" && typeof whole === "number" && Math.abs(alone - whole) > 1e-3 * Math.max(alone, whole))
      add(index, "note_hook", { name, from: page.short(alone), to: page.short(whole) });
    (step.of_inputs || []).forEach((g, k) => {
      const norm = page.gradientNorm(step.id, "of_inputs", k), mark = page.mark(norm), came = page.gradientNorm(step.id, "of_outputs", 0);
      if (mark === "nan" && once(step.pass, "nan")) add(index, "note_nan", { name });
      if (mark === "inf" && once(step.pass, "inf")) add(index, "note_inf", { name });
      const goesOn = g.to !== null && g.to !== undefined && operations[g.to].kind === "operation";
      if (mark === "zero" && goesOn && typeof came === "number" && came > 0 && once(step.pass, "zero")) add(index, "note_zero", { name });
      if (goesOn && typeof norm === "number" && typeof came === "number" && came > 0 && norm / came >= 100) {
        const before = steepest.get(step.pass);
        if (!before || before.by < norm / came) steepest.set(step.pass, { by: norm / came, index, name });
      }
    });
  }
  const lastOf = new Map(steps.map((step) => [step.pass, step]));
  for (const pass of page.record.passes || []) {
    const last = lastOf.get(pass.id);
    if (!last) continue;
    if (pass.end === "open") add(stepTime.get(last.id), "note_open", {});
    if (pass.error && !page.threw(last)) add(stepTime.get(last.id), "note_ended", { error: error(pass.error) });
  }
  // Of a pass the leaves to which nothing came, or no numbers: when the first of them had its gradient.
  const atLeaves = new Map();
  for (const w of page.data.leaf_waits || []) {
    const mark = page.mark(w.norm), at = Math.max(...w.contributions.map((c) => stepTime.get(c.from_step) ?? -1));
    if (mark === null || at < 0) continue;
    const key = w.pass + mark, all = atLeaves.get(key) || { mark, at, nodes: [] };
    all.at = Math.min(all.at, at);
    all.nodes.push(w.operation);
    atLeaves.set(key, all);
  }
  for (const { mark, at, nodes } of atLeaves.values()) add(at, "note_leaf_" + mark, { list: page.titles(nodes) }, { nodes });
  for (const { by, index, name } of steepest.values()) add(index, "note_grows", { name, by });
  for (const o of operations) {
    if (!/^(leaky_)?(relu|relu6|threshold|hardshrink|softshrink|dropout)_?$/.test(o.name) || times[o.id].forward === null) continue;
    const v = values[o.outputs[0]], n = v && v.numbers, all = n && n.all;
    if (!n || !(all ? all.length > 1 && all.every((x) => x === 0) : n.min === 0 && n.max === 0)) continue;
    const back = steps.find((s) => s.operation === o.id), at = back && stepTime.get(back.id);
    add(times[o.id].forward, at === undefined ? "note_dead" : "note_dead_step", { name: page.title(o.id), n: at + 1 });
  }
  const firstUse = new Map();
  for (const e of page.layout.edges) if (!firstUse.has(e.value)) firstUse.set(e.value, e);
  for (const stop of page.data.stops || []) {
    if (stop.why !== "detach" && stop.why !== "no_grad") continue;
    const from = stop.from_operation, user = firstUse.get(stop.value), known = from !== null && from !== undefined;
    const name = known ? page.title(from) : page.valueText(stop.value).name, nodes = known ? [from] : undefined;
    if (typeof stop.time === "number") add(stop.time, "note_stop", { name, why: stop.why }, { nodes, at: stop.time + 1 });
    else add((known ? times[from].forward : null) ?? (user && times[user.to].forward), "note_stop", { name, why: stop.why }, { nodes });
  }
  found.sort((a, b) => a.step - b.step);
  page.notices = found;
  // Where they are: operations, and the modules around them.
  page.noticed = new Set();
  page.noticedIn = new Set();
  for (const f of found) for (const operation of f.nodes || [page.at(f.step).operation]) {
    if (operation === null) continue;
    page.noticed.add(operation);
    for (let c = page.whereIs(operation); c; c = c.parent === null ? null : page.layout.containers[c.parent]) page.noticedIn.add(c.id);
  }
  const more = (f) => (f.more.by ? { ...f.more, x: f.more.by < 1e6 ? page.count(Number(f.more.by.toPrecision(2))) : page.short(f.more.by) } : f.more);
  page.noticeText = (f) => page.t(f.key, more(f));
  page.nextNotice = () => { const next = found.find((f) => f.step > page.state.step) || found[0]; if (next) page.go({ step: next.step }); };

  // ---- a button that opens the list; on the timeline a mark each
  const button = el("button", { type: "button", class: "plain notices", "aria-expanded": "false", "aria-controls": "notices" });
  const list = el("ul", { id: "notices", hidden: true });
  page.noticeBox = el("div", { class: "find" }, button, list);
  page.noticeBox.hidden = !found.length;
  const show = (on) => { list.hidden = !on; button.setAttribute("aria-expanded", String(on)); };
  button.addEventListener("click", () => show(list.hidden));
  page.noticeBox.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      show(false);
      button.focus();
      event.preventDefault();
    }
  });
  page.noticeBox.addEventListener("focusout", (event) => { if (!page.noticeBox.contains(event.relatedTarget)) show(false); });
  const flags = el("div", { class: "flags", "aria-hidden": "true" });
  document.querySelector("#timeline .track").after(flags);
  page.on((state, changed) => {
    if (!changed.has("lang") || !found.length) return;
    button.textContent = "⚑ " + page.t("notices", { n: found.length });
    page.fill(list, found.slice(0, 50).map((f) => {
      const go = () => { show(false); button.focus(); };
      const li = el("li", {}, el("b", {}, page.linkTo(f.step, page.t("step") + " " + (f.step + 1))), " ", page.told(f.key, more(f)));
      for (const a of li.querySelectorAll("a")) a.addEventListener("click", go);
      li.addEventListener("click", () => { page.go({ step: f.step }); go(); });
      return li;
    }));
    page.fill(
      flags,
      found.map((f) => el(
        "i", { class: f.at === undefined ? null : "cut", style: `left: ${(100 * (f.at ?? f.step + 0.5)) / timeline.length}%`, title: page.noticeText(f) },
        f.at === undefined ? "▲" : null)));
  });
})();
