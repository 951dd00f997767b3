// The panel: all about the step, or about the node that is looked at.
(() => {
  const { el } = page;
  const { section, value, forward, backward, updated, leaf } = page.parts;
  const root = document.getElementById("panel");

  // ---- head, warnings
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
  // Integers beside a result (places of maxima) stop nothing.
  const beside = (s) =>
    s.why === "integer" && s.from_operation !== null && s.from_operation !== undefined && page.operations[s.from_operation].outputs.length > 1;
  const stopsOf = (operation, own) =>
    (page.data.stops || [])
      .filter((s) => !beside(s))
      .filter((s) => s.from_operation === operation.id || operation.inputs.includes(s.value) || operation.outputs.includes(s.from_value) ||
                (own && s.time === page.state.step));
  const stops = (operation, own) => stopsOf(operation, own).map((s) => {
    // A detached value itself has been computed by nothing else, one under no_grad by what is named beside it.
    const v = value(s.value), far = (v?.made_by || []).length > (s.why === "detach" ? 0 : 1);
    return el(
      "p", { class: "warn" }, el("strong", {}, "⊣ "),
      page.t("stop_" + s.why + (far ? "_way" : ""), { name: v?.name ?? "", of: s.name || "", list: page.madeBy(v) }),
      s.file ? " (" + s.file + ":" + s.line + ")" : "",
      typeof s.time === "number" && s.time !== page.state.step ? [" ", page.told("stop_after", { n: s.time + 1 })] : "");
  });

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
    else if (isLeaf) body = leaf(operation);
    else body = forward(operation);
    const index = page.state.step;
    page.fill(root, head(operation, kind, own || isLeaf ? null : times.forward), stops(operation, own && now.kind === "forward"),
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
