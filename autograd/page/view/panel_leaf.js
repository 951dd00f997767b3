// The panel of an optimizer's step and of a leaf.
(() => {
  const { el } = page;
  const { section, value, chosen, choose, view } = page.parts;
  page.parts.updated = (update, leaf) => {
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
  page.parts.leaf = (operation) => {
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
})();
