// The curve of live memory under the timeline, by kind, with its peak; the kinds differ in pattern, too.
(() => {
  const root = document.getElementById("memory");
  const { el, svg, timeline, record } = page;
  const rows = page.data.memory || record.memory || [];
  if (!rows.length || !timeline.length) { root.hidden = true; return; }
  const kinds = ["parameters", "saved", "gradients", "other"];
  const byKind = rows[0].parameters !== undefined;
  const count = timeline.length;

  // What is alive after each step: the last entry of its events; the highest, for the peak.
  const atForward = new Map(), atStep = new Map(), atUpdate = new Map();
  timeline.forEach((entry, i) => (entry.kind === "forward" ? atForward : entry.kind === "backward" ? atStep : atUpdate).set(entry.of, i));
  const after = new Array(count).fill(null), highest = new Array(count).fill(0);
  let here = 0, peak = { live: -1, index: 0 };
  for (const row of rows) {
    const map = row.event === "operation" ? atForward : row.event === "update" ? atUpdate : row.event === "end" ? null : atStep;
    if (row.time !== null && row.time !== undefined) here = row.time;
    else if (map && map.has(row.of)) here = map.get(row.of);
    const live = row.live ?? row.live_bytes;
    after[here] = { live, ...row };
    highest[here] = Math.max(highest[here], live);
    if (live > peak.live) peak = { live, index: here };
  }
  for (let i = 0, last = null; i < count; i++) {
    if (after[i]) last = after[i];
    else { after[i] = last; highest[i] = last ? last.live : 0; }
  }

  const picture = el("div", { class: "picture" });
  const chart = svg("svg", { role: "img" }), cursor = el("div", { class: "cursor" }), mark = el("div", { class: "peak" });
  picture.append(chart, cursor, mark);
  const list = el("dl");
  root.append(picture, list);
  page.slides(picture);

  const colours = { parameters: "--muted", saved: "--forward", gradients: "--backward", other: "--update" };
  const pattern = (kind, id) => {
    const stroke = `stroke: var(${colours[kind]}); stroke-width: 1.2; stroke-opacity: .6; fill: none`;
    const d = { parameters: "", saved: "M0 6L6 0M-1 1L1 -1M5 7L7 5", gradients: "M0 0L6 6M-1 5L1 7M5 -1L7 1", other: "M2 3H4" }[kind];
    return svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      svg("rect", { width: 6, height: 6, style: `fill: var(${colours[kind]}); opacity: .22` }), svg("path", { d, style: stroke }));
  };
  const draw = () => {
    const w = Math.max(50, picture.clientWidth), h = picture.clientHeight || 60, top = 14;
    chart.setAttribute("viewBox", `0 0 ${w} ${h}`);
    const points = Math.min(count, Math.ceil(w));
    const y = (v) => h - 1 - ((h - top - 1) * v) / (peak.live || 1);
    const shown = byKind ? kinds : ["live"];
    const paths = [];
    const base = new Array(points).fill(0);
    for (const kind of shown) {
      let upper = "", lower = "";
      for (let p = 0; p < points; p++) {
        const i = points === count ? p : Math.floor((p * count) / points), row = after[i] || {};
        const value = base[p] + Math.max(0, Number(row[kind]) || 0), a = (p * w) / points, b = ((p + 1) * w) / points;
        upper += `${p ? "L" : "M"}${a.toFixed(1)} ${y(value).toFixed(1)}H${b.toFixed(1)}`;
        lower = `L${b.toFixed(1)} ${y(base[p]).toFixed(1)}H${a.toFixed(1)}` + lower;
        base[p] = value;
      }
      paths.push(svg("path", { d: upper + lower + "Z", style: byKind ? `fill: url(#memory-${kind})` : "fill: var(--module)" }),
        svg("path", { d: upper, style: `fill: none; stroke: var(${colours[kind] || "--muted"}); stroke-width: 1.2` }));
    }
    const x = ((peak.index + 0.5) * w) / count, top2 = y(peak.live);
    page.fill(chart, svg("defs", {}, byKind ? kinds.map((kind) => pattern(kind, "memory-" + kind)) : []), paths,
      svg("path", { d: `M${x.toFixed(1)} ${top2.toFixed(1)}l-5 -7h10Z`, style: "fill: var(--text)" }));
    mark.textContent = page.t("peak", { x: page.bytes(peak.live) });
    const wide = mark.offsetWidth || 80;
    mark.style.left = Math.max(0, Math.min(w - wide, x + 8 + wide > w ? x - 8 - wide : x + 6)) + "px";
    chart.setAttribute("aria-label", page.t("memory_curve") + ", " + mark.textContent);
  };
  const sample = (kind) =>
    svg("svg", { viewBox: "0 0 14 11", "aria-hidden": "true" }, svg("rect", { width: 14, height: 11, style: `fill: url(#memory-${kind})` }));
  const tell = () => {
    const row = after[page.state.step] || {};
    page.fill(list, el("div", {}, el("dt", {}, page.t("memory")), el("dd", {}, page.bytes(row.live ?? 0))),
      byKind && kinds.map((kind) => el("div", {}, el("dt", {}, sample(kind), page.t(kind)), el("dd", {}, page.bytes(row[kind] ?? 0)))));
    cursor.style.left = page.state.step === count - 1 && count > 1 ? "calc(100% - 1.5px)" : (100 * (page.state.step + 0.5)) / count + "%";
  };
  page.liveAfter = (index) => (after[index] ? after[index].live : null);
  page.on((state, changed) => {
    if (changed.has("lang") || changed.has("theme")) draw();
    if (changed.has("step") || changed.has("lang")) tell();
  });
  new ResizeObserver(draw).observe(picture);
})();
