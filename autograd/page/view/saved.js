// What is kept for the backward pass: by whom, from which step to which, and how much.
(() => {
  const { el } = page;
  const most = 16;
  const nameOf = (bar) => {
    for (const by of bar.by) {
      const operation = page.operations[by.operation];
      const v = by.value ?? (by.kind === "input" ? operation.inputs[by.index] : operation.outputs[by.index]);
      if (v !== null && v !== undefined && page.values[v]) return page.values[v].name;
    }
    return "#" + bar.storage;
  };
  const keepers = (bar) => [...new Set(bar.by.map((by) => page.operations[by.operation].name))].join(", ");
  /// The bars of what is kept at a step, those of the operation that is looked at marked.
  page.drawSaved = (operation, index) => {
    const bars = page.data.saved_bars || [];
    const alive = bars.filter((bar) => bar.from <= index && (bar.to === null || bar.to >= index));
    const mine = (bar) => bar.by.some((by) => by.operation === operation.id);
    const own = bars.filter((bar) => mine(bar) && (page.times[operation.id].forward === null || bar.from >= 0));
    const shown = [...new Set([...own.filter((bar) => !alive.includes(bar)), ...alive.filter(mine), ...alive.filter((bar) => !mine(bar))])].slice(0, most);
    const parts = [];
    if (operation.saved.length) {
      parts.push(el("ul", { class: "keeps" }, operation.saved.map((kept) => {
        const v = kept.value ?? (kept.kind === "input" ? operation.inputs[kept.index] : operation.outputs[kept.index]);
        const value = v === null || v === undefined ? null : page.values[v], storage = page.record.storages[kept.storage];
        return el(
          "li", {}, page.t(kept.kind === "input" ? "keeps_input" : "keeps_output", { name: value ? value.name : kept.index }),
          value ? el("span", { class: "type" }, " " + page.type(value)) : null,
          storage ? el("span", { class: "note" }, " " + page.bytes(storage.bytes) + (storage.of_leaf ? ", " + page.t("is_leafs") : ""))
                  : el("span", { class: "note" }, " " + page.t("packed")));
      })));
    } else {
      parts.push(el("p", {}, page.t("keeps_nothing")));
    }
    if (!shown.length) return parts;
    const last = Math.max(1, page.timeline.length - 1), total = alive.reduce((n, bar) => n + (bar.of_leaf ? 0 : bar.bytes), 0);
    parts.push(el("p", { class: "note" }, page.t("kept_now", { n: alive.length, bytes: page.bytes(total) })));
    parts.push(el("div", { class: "bars", role: "list", "aria-label": page.t("bars_label") }, shown.map((bar) => {
      const left = 100 * bar.from / last, right = 100 * (bar.to ?? last) / last;
      const text = page.t(
        bar.to === null ? "bar_open" : "bar",
        { name: nameOf(bar), by: keepers(bar), from: bar.from + 1, to: (bar.to ?? last) + 1, bytes: page.bytes(bar.bytes) });
      return el("div", { class: "bar-row" + (mine(bar) ? " mine" : ""), role: "listitem", title: text },
        el("span", { class: "bar-name", "aria-hidden": "true" }, (mine(bar) ? "▸ " : "") + nameOf(bar)),
        el("span", { class: "bar-track", "aria-hidden": "true" },
          el("span", { class: "bar-fill" + (bar.to === null ? " open" : ""), style: `left:${left}%;width:${Math.max(0.8, right - left)}%` }),
          el("span", { class: "bar-now", style: `left:${100 * index / last}%` })),
        el("span", { class: "bar-size", "aria-hidden": "true" }, page.bytes(bar.bytes)), el("span", { class: "unseen" }, text));
    })));
    const hidden = alive.length - shown.filter((bar) => alive.includes(bar)).length;
    if (hidden > 0) parts.push(el("p", { class: "note" }, page.t("more_bars", { n: hidden })));
    return parts;
  };
})();
