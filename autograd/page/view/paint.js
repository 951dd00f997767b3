// SVG of placed items and lines: what is in sight is drawn, each once, and changed rather than drawn anew.
(() => {
  const svg = page.svg;
  const round = (x) => Math.round(x * 10) / 10;

  // ---- the ways of lines
  const route = (placed) => {
    const solids = placed.list.filter((i) => i.kind !== "open").sort((a, b) => a.y - b.y);
    const tallest = solids.reduce((h, i) => Math.max(h, i.h), 0);
    const starts = solids.map((i) => i.y);
    const first = (y) => { let a = 0, b = starts.length; while (a < b) { const m = (a + b) >> 1; if (starts[m] < y) a = m + 1; else b = m; } return a; };
    const ins = new Map(), outs = new Map();
    for (const line of placed.lines) {
      if (line.from.host && line.from.host === line.to) continue;
      if (!ins.has(line.to.key)) ins.set(line.to.key, []);
      if (!outs.has(line.from.key)) outs.set(line.from.key, []);
      ins.get(line.to.key).push(line);
      outs.get(line.from.key).push(line);
    }
    const spread = (lines, item, other, end) => {
      lines.sort((a, b) => a[other].centre - b[other].centre || (a.edges[0]?.input ?? 9) - (b.edges[0]?.input ?? 9));
      const step = Math.min(26, (item.w - 20) / lines.length);
      lines.forEach((line, k) => { line[end] = item.centre + (k - (lines.length - 1) / 2) * step; });
    };
    for (const lines of ins.values()) spread(lines, lines[0].to, "from", "x2");
    for (const lines of outs.values()) spread(lines, lines[0].from, "to", "x1");
    // Words on lines side by side lean outwards.
    for (const lines of ins.values()) {
      const beside = new Map();
      for (const line of lines) page.push(beside, line.from, line);
      for (const some of beside.values()) some.forEach((line, k) => { line.lean = 22 * (k - (some.length - 1) / 2); });
    }
    const lanes = new Map();  // by strips of 8
    const strip = (x) => Math.floor(x / 8);
    const taken = (x, y1, y2) => [-1, 0, 1].some((k) =>
      (lanes.get(strip(x) + k) || []).some((l) => Math.abs(l.x - x) < 6 && l.y1 < y2 && l.y2 > y1));
    for (const line of placed.lines) {
      const { from, to } = line;
      if (from.host && from.host === to) {
        const y1 = from.y + from.h / 2, x1 = from.x + from.w, x2 = to.x;
        const y2 = Math.max(to.y + 8, Math.min(to.y + to.h - 8, y1)), m = (x1 + x2) / 2;
        Object.assign(line, {
          d: `M${round(x1)} ${round(y1)}C${round(m)} ${round(y1)} ${round(m)} ${round(y2)} ${round(x2)} ${round(y2)}`,
          ends: [[x1, y1, -1, 0], [x2, y2, 1, 0]],
          middle: [m, (y1 + y2) / 2],
          top: Math.min(y1, y2),
          bottom: Math.max(y1, y2)
        });
        continue;
      }
      if (to.y + to.h <= from.y) {  // upwards: from a side into the bottom
        const side = to.centre > from.centre ? 1 : -1, x1 = side > 0 ? from.x + from.w : from.x, y1 = from.y + from.h / 2, x2 = to.centre, y2 = to.y + to.h + 4;
        Object.assign(line, {
          d: `M${round(x1)} ${round(y1)}C${round(x1 + side * 60)} ${round(y1)} ${round(x2)} ${round(y2 + 60)} ${round(x2)} ${round(y2)}`,
          ends: [[x1, y1, -side, 0], [x2, y2, 0, -1]],
          middle: [(x1 + x2) / 2, (y1 + y2) / 2],
          top: y2,
          bottom: y1
        });
        continue;
      }
      const { x1, x2 } = line, y1 = from.y + from.h, y2 = to.y;
      line.top = Math.min(y1, y2);
      line.bottom = Math.max(y1, y2);
      line.ends = [[x1, y1, 0, -1], [x2, y2, 0, 1]];
      let lane = null;
      if (y2 - y1 > 44) {
        const found = [];
        for (let i = first(y1 - tallest); i < solids.length && solids[i].y < y2 && found.length < 300; i++) {
          const s = solids[i];
          if (s.y + s.h > y1 + 1 && s.y < y2 - 1 && s !== from && s !== to && !(s.host === to)) found.push(s);
        }
        const clear = (x) => found.every((s) => x < s.x - 8 || x > s.x + s.w + 8);
        const straight = () => found.every((s) => {
          const f = (s.y + s.h / 2 - y1) / (y2 - y1), x = x1 + (x2 - x1) * f;
          return x < s.x - 8 || x > s.x + s.w + 8;
        });
        if (found.length && !(Math.abs(x1 - x2) < 2 ? clear(x1) : straight() && found.length < 3)) {
          const tried = found.length > 80 ? [Math.min(...found.map((s) => s.x)) - 16, Math.max(...found.map((s) => s.x + s.w)) + 16]
            : [x1, x2, ...found.flatMap((s) => [s.x - 16, s.x + s.w + 16])].filter(clear);
          const cost = (x) => Math.abs(x - x1) + Math.abs(x - x2);
          lane = tried.reduce((best, x) => (best === null || cost(x) < cost(best) ? x : best), null);
          if (lane !== null) {
            const side = lane < (x1 + x2) / 2 ? -1 : 1;
            for (let tries = 0; tries < 100 && taken(lane, y1, y2); tries++) lane += side * 8;
            page.push(lanes, strip(lane), { x: lane, y1, y2 });
          }
        }
      }
      if (lane === null) {
        const bend = y2 > y1 ? Math.min(60, (y2 - y1) / 2) : 40;
        line.d = `M${round(x1)} ${round(y1)}C${round(x1)} ${round(y1 + bend)} ${round(x2)} ${round(y2 - bend)} ${round(x2)} ${round(y2)}`;
        line.middle = [(x1 + x2) / 2, (y1 + y2) / 2];
      } else {
        const a = Math.min(34, (y2 - y1) / 3), p = [x1, y1, lane, x2, y2].map(round);
        line.d = `M${p[0]} ${p[1]}C${p[0]} ${round(y1 + a * 0.6)} ${p[2]} ${round(y1 + a * 0.4)} ${p[2]} ${round(y1 + a)}V${round(y2 - a)}C${p[2]} ${
          round(y2 - a * 0.4)} ${p[3]} ${round(y2 - a * 0.6)} ${p[3]} ${p[4]}`;
        line.middle = [lane, (y1 + y2) / 2];
        line.left = lane;
      }
    }
    placed.routed = true;
  };

  // A triangle whose point is at the end of a line; dx, dy: the way in which the line arrives there.
  const head = ([px, py, ax, ay], size) => {
    return `M${round(px)} ${round(py)}L${round(px - ax * size * 1.5 - ay * size * 0.8)} ${round(py - ay * size * 1.5 + ax * size * 0.8)}L${
      round(px - ax * size * 1.5 + ay * size * 0.8)} ${round(py - ay * size * 1.5 - ax * size * 0.8)}Z`;
  };

  // ---- nodes
  const text = (x, y, kind, words, anchor = "middle") => svg("text", { x: round(x), y: round(y), class: kind, "text-anchor": anchor }, words);
  const badge = (x, y, words, kind) => {
    const w = Math.max(18, 10 + [...words].length * 6.6);
    return svg(
      "g", { class: "badge " + kind }, svg("rect", { x: round(x - w), y: round(y - 9), width: round(w), height: 18, rx: 9 }),
      text(x - w / 2, y + 4, "b", words));
  };
  const body = (i) => {
    const v = i.kind === "value" ? page.values[i.id] : null;
    if (i.kind === "open")
      return [
        svg("rect", { class: "frame", width: i.w, height: i.h, rx: 10 }),
        svg(
          "g", { class: "title", "data-fold": i.key }, svg("rect", { class: "hit", x: 4, y: 3, width: i.w - 8, height: 26, rx: 6 }),
          svg("path", { class: "sign", d: "M13 14l4 5 4-5" }), text(28, 21, "t", i.name, "start"))
      ];
    if (i.kind === "value") {
      const { name, shape } = page.valueText(i.id);
      return [
        svg("rect", { class: "shape" + (v.kind === "constant" ? " constant" : ""), width: i.w, height: i.h, rx: 13 }),
        text(12, 18, "v", name, "start"), shape && text(i.w - 12, 18, "s", shape, "end")
      ];
    }
    if (i.kind === "folded" || i.kind === "row") {
      const all = [];
      if (i.kind === "row") for (const k of [8, 4]) all.push(svg("rect", { class: "shape behind", x: k, y: k, width: i.w, height: i.h, rx: 9 }));
      all.push(svg("rect", { class: "shape", width: i.w, height: i.h, rx: 9 }));
      all.push(svg("g", { class: "title", "data-fold": i.key }, svg("rect", { class: "hit", x: 4, y: 4, width: i.w - 8, height: 20, rx: 6 }),
        svg("path", { class: "sign", d: "M13 12l5 4-5 4" }), text(26, 20, "t", i.name, "start")));
      all.push(text(26, 38, "s", i.under, "start"));
      return all;
    }
    const elsewhere = i.leaf ? " constant" : "";
    return [svg("rect", { class: "shape" + elsewhere, width: i.w, height: i.h, rx: i.leaf ? 22 : 5 }),
      i.shape ? [text(i.w / 2, 19, "n", i.name), text(i.w / 2, 35, "s", i.shape)] : text(i.w / 2, 27, "n", i.name)];
  };
  const noticed = (i) => i.kind === "op" ? page.noticed.has(i.id)
    : i.kind === "value"                 ? page.noticed.has(page.values[i.id].operation)
                                         : i.kind !== "open" && page.noticedIn.has(i.id);
  const marks = (i, s, flow) => {
    const all = [];
    if (i.kind !== "open" && s.now) {
      const x = i.host ? -15 : i.w + (i.kind === "row" ? 12 : 4), y = i.h / 2, up = flow.kind === "backward";
      all.push(svg("path", { class: "pointer", d: up ? `M${x} ${y + 5}h11l-5.5 -10Z` : `M${x} ${y - 5}h11l-5.5 10Z` }));
    }
    if (s.all > 1 && !s.went && s.came > 0) all.push(badge(i.w + 6, 0, s.came + "/" + s.all, s.came < s.all ? "waits" : "ready"));
    else if (s.failed) all.push(badge(i.w + 6, 0, "✕", "broken"));
    else if (s.went && i.kind !== "open") all.push(badge(i.w + 6, 0, s.zero ? "∂ 0" : "∂", s.zero ? "broken" : "went"));
    if (!s.mark && noticed(i))
      all.push(badge(10, 0, "⚑", "broken"));
    if (s.mark && i.kind !== "open") all.push(badge(16, 0, s.mark === "nan" ? "NaN" : "∞", "broken"));
    if (s.stops && i.kind !== "open")
      all.push(svg(
        "g", { class: "stop" }, svg("path", { d: `M${round(i.w / 2 - 9)} ${i.h + 2}h18` }),
        text(i.w / 2 + 14, i.h + 8, "b", page.t("stops_inside", { n: s.stops }), "start")));
    const stop = page.stopAt(i.key);
    if (stop && i.kind !== "open") {
      const y = i.h + 13;
      all.push(svg(
        "g", { class: "stop" }, svg("path", { d: `M${round(i.w / 2 - 9)} ${i.h + 2}h18` }),
        text(i.w / 2 + 14, y - 5, "b", page.t("stops", { why: stop }), "start")));
    }
    return all;
  };

  /// A drawing: layers in `into`, and pools of what is drawn in them.
  page.drawing = (into) => {
    const layers = { frames: svg("g"), lines: svg("g"), nodes: svg("g") };
    into.append(layers.frames, layers.lines, layers.nodes);
    return { layers, nodes: new Map(), lines: new Map(), placed: null };
  };

  /// Draws what of `placed` lies in the rectangle, as it is at the step of `flow`.
  page.paint = (drawing, placed, flow, rect, chosen) => {
    if (!placed.routed) route(placed);
    const fresh = drawing.placed !== placed;
    drawing.placed = placed;
    const seen = new Set();
    for (const i of placed.list) {
      if (i.y > rect.b || i.y + i.h < rect.y || i.x > rect.r || i.x + i.w < rect.x) continue;
      seen.add(i.key);
      const s = flow.item(i);
      let node = drawing.nodes.get(i.key);
      if (!node || node.kind !== i.kind || node.w !== i.w || node.h !== i.h || node.lang !== page.state.lang) {
        const g = svg("g", { "data-key": i.key }, body(i)), m = svg("g");
        g.append(m);
        if (node) node.g.replaceWith(g);
        else (i.kind === "open" ? drawing.layers.frames : drawing.layers.nodes).append(g);
        node = { g, m, kind: i.kind, w: i.w, h: i.h, lang: page.state.lang, said: null, mark: null, place: null };
        drawing.nodes.set(i.key, node);
      }
      if (i.kind === "open" && fresh) drawing.layers.frames.append(node.g);
      const place = `translate(${round(i.x)} ${round(i.y)})`;
      if (node.place !== place) node.g.setAttribute("transform", (node.place = place));
      const said = ["item", i.kind, s.state, s.now ? "now" : "", s.went ? "went" : "", i.key === chosen ? "chosen" : "", i.depth % 2 ? "odd" : ""]
                     .filter(Boolean)
                     .join(" ");
      if (node.said !== said) node.g.setAttribute("class", (node.said = said));
      const mark = [s.now, s.went, s.failed, s.came, s.all, s.mark, s.zero, flow.kind].join();
      if (node.mark !== mark) { node.mark = mark; node.m.replaceChildren(...marks(i, s, flow)); }
    }
    for (const [key, node] of drawing.nodes) if (!seen.has(key)) { node.g.remove(); drawing.nodes.delete(key); }

    seen.clear();
    for (const line of placed.lines) {
      if (line.top > rect.b || line.bottom < rect.y) continue;
      const left = Math.min(line.ends[0][0], line.ends[1][0], line.left ?? Infinity),
            right = Math.max(line.ends[0][0], line.ends[1][0], line.left ?? -Infinity);
      if (left > rect.r || right < rect.x) continue;
      seen.add(line.key);
      let drawn = drawing.lines.get(line.key);
      if (!drawn) {
        drawn = { g: svg("g"), path: svg("path", { class: "way" }), head: svg("path", { class: "head" }), tag: svg("g"), d: null, said: null };
        drawn.g.append(drawn.path, drawn.head, drawn.tag);
        drawing.layers.lines.append(drawn.g);
        drawing.lines.set(line.key, drawn);
      }
      const s = flow.line(line);
      const said = ["edge", s.went ? "back" : s.done ? "done" : "ahead", s.mark || "", s.fresh ? "fresh" : ""].filter(Boolean).join(" ");
      const all = said + s.norm + line.d + page.state.lang;
      if (drawn.said === all) continue;
      drawn.said = all;
      drawn.g.setAttribute("class", said);
      drawn.path.setAttribute("d", line.d);
      const wide = s.went ? (s.mark ? 2 : page.lineWidth(s.norm)) : 1.4;
      drawn.path.setAttribute("stroke-width", round(wide));
      drawn.head.setAttribute("d", s.went ? head(line.ends[0], 4 + wide / 2) : head(line.ends[1], 4.5));
      const tag = s.mark === "cut"                      ? null
        : s.mark === "nan"                              ? "NaN"
        : s.mark === "inf"                              ? "∞"
        : s.mark === "zero"                             ? "0"
        : s.fresh && s.norm !== null && !line.from.host ? page.short(s.norm)
                                                        : null;
      const x = line.middle[0] + (line.lean || 0), y = line.middle[1];
      drawn.tag.replaceChildren(...(tag === null ? [] : [svg("title", {}, page.t("norm", { x: tag })), tagShape(s.mark, x, y, tag)]));
    }
    for (const [key, drawn] of drawing.lines) if (!seen.has(key)) { drawn.g.remove(); drawing.lines.delete(key); }
  };
  // Each kind of mark has a shape of its own: a circle for zero, a diamond for what is not a number, a square for infinity.
  const tagShape = (mark, x, y, words) => {
    const w = Math.max(20, 10 + [...words].length * 7);
    const shape = mark === "zero" ? svg("circle", { cx: round(x), cy: round(y), r: 10 })
      : mark === "nan"
      ? svg("path", { d: `M${round(x - 27)} ${round(y)}L${round(x)} ${round(y - 14)}L${round(x + 27)} ${round(y)}L${round(x)} ${round(y + 14)}Z` })
      : svg("rect", { x: round(x - w / 2), y: round(y - 9), width: round(w), height: 18, rx: mark === "inf" ? 0 : 9 });
    return svg("g", { class: "tag " + (mark || "") }, shape, text(x, y + 4, "b", words));
  };
})();
