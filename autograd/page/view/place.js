// Where everything visible stands: rows from the layout's ranks, columns so that a chain runs straight down. What only one
// operation uses (weights, constants) stands at its left, so that the way from above stays free.
(() => {
  const { containers, container_of, edges } = page.layout;
  const { operations, values } = page;
  const pen = document.createElement("canvas").getContext("2d");
  const measured = new Map();
  const width = (text, font) => {
    const key = font + text;
    if (!measured.has(key)) { pen.font = font; measured.set(key, pen.measureText(text).width); }
    return measured.get(key);
  };
  const family = getComputedStyle(document.documentElement).getPropertyValue("--sans");
  const fonts = { name: "600 14px " + family, small: "12px " + family, value: "13px " + family };
  const gap = { x: 28, y: 36, pad: 20, title: 30 };
  page.clip = (text, most) => { const all = [...text]; return all.length > most ? all.slice(0, most - 1).join("") + "…" : text; };

  // Which value items stand at their only user's side.
  const users = new Map();
  for (const e of edges) if (page.placeOfValue.has(e.value)) page.push(users, e.value, e);
  const fromAbove = new Set(), beside = new Map(), host = new Map();
  for (const e of edges) if (!page.placeOfValue.has(e.value)) fromAbove.add(e.to);
  const firstInput = new Map();
  for (const e of edges) if (!firstInput.has(e.to) || firstInput.get(e.to).input > e.input) firstInput.set(e.to, e);
  for (const [v, uses] of users) {
    const to = uses[0].to;
    if (uses.some((e) => e.to !== to) || page.placeOfValue.get(v).id !== container_of[to]) continue;
    if (!fromAbove.has(to) && firstInput.get(to).value === v) continue;
    page.push(beside, to, v);
    host.set(v, to);
  }
  page.valueText = (v) => {
    const value = values[v];
    const all = value.name || (value.kind === "constant" ? page.t("constant") : ""), path = page.placeOfValue.has(v) ? page.placeOfValue.get(v).path : "";
    // A parameter's name begins with its module's path, which stands around it.
    const own = path && all.startsWith(path + ".") ? all.slice(path.length + 1) : all;
    const name = own.length > 24 && own.includes(".") ? "…" + own.slice(-23) : page.clip(own, 24);
    return { name, shape: page.shape(value) };
  };

  const valueBox = (v) => {
    const { name, shape } = page.valueText(v);
    return { key: "v" + v, kind: "value", id: v, w: Math.ceil(width(name, fonts.value) + width(shape, fonts.small) + (shape ? 8 : 0)) + 24, h: 26 };
  };
  const opBox = (id) => {
    const o = operations[id], name = page.clip(page.title(id), 28), shape = page.shape(page.result(id));
    return {
      key: "o" + id,
      kind: "op",
      id,
      w: Math.max(72, Math.ceil(Math.max(width(name, fonts.name), width(shape, fonts.small))) + 28),
      h: 44,
      name,
      shape,
      leaf: o.kind !== "operation"
    };
  };
  const foldedBox = (c, row) => {
    const name = page.clip(row ? page.rowTitle(c) : page.label(c), 34);
    const only = c.operations === 1 && !row ? c.ranks.flat().find((i) => i.op !== undefined) : null;
    const under = only ? page.clip(page.title(only.op), 24) + "  " + page.shape(page.result(only.op)) : page.t("operations", { n: c.operations });
    return {
      key: (row ? "r" : "c") + c.id,
      kind: row ? "row" : "folded",
      id: c.id,
      w: Math.max(120, Math.ceil(Math.max(width(name, fonts.name) + 34, width(under, fonts.small) + 40))),
      h: 48,
      name,
      under
    };
  };
  page.rowTitle = (c) => {
    const row = page.rowOf(c), last = page.label(row[row.length - 1]), first = page.label(c);
    return (first === last ? first : page.t("range_short", { from: first, to: last })) + "  " + page.t("times", { n: c.repeat });
  };

  // The visible items of a container, as boxes with l and r (extents left and right of the anchor), a row each rank.
  const box = (item, open) => {
    if (item.value !== undefined) {
      const b = valueBox(item.value);
      return { ...b, l: b.w / 2, r: b.w / 2 };
    }
    if (item.op !== undefined) {
      const b = opBox(item.op), extra = (beside.get(item.op) || []).map(valueBox);
      if (!extra.length) return { ...b, l: b.w / 2, r: b.w / 2 };
      const wide = extra.reduce((most, e) => Math.max(most, e.w), 0), high = extra.length * 32 - 6;
      return { ...b, own: b.h, h: Math.max(b.h, high), l: b.w / 2 + 32 + wide, r: b.w / 2, extra, wide, high };
    }
    const c = containers[item.container];
    if (c.row && !open.has(c.row.key + "*")) {
      if (c.row !== c) return null;
      const b = foldedBox(c, true);
      return { ...b, l: b.w / 2, r: b.w / 2 + 8, h: b.h + 8 };
    }
    if (!open.has(c.key)) {
      const b = foldedBox(c, false);
      return { ...b, l: b.w / 2, r: b.w / 2 };
    }
    return inside(c, open);
  };

  // Neighbours of a container's items, once: which item of it is above which.
  const links = new Map();
  const chain = (c) => { const all = []; for (; c; c = c.parent === null ? null : containers[c.parent]) all.unshift(c); return all; };
  const chains = containers.map(chain);
  for (const e of edges) {
    const loose = page.placeOfValue.get(e.value);
    if (loose && host.has(e.value)) continue;
    const from = loose ? loose.id : e.from === null ? null : container_of[e.from];
    if (from === null || from === undefined) continue;
    const one = chains[from], two = chains[container_of[e.to]];
    let k = 0;
    while (k + 1 < one.length && k + 1 < two.length && one[k + 1] === two[k + 1]) k++;
    const a = k + 1 < one.length ? "c" + one[k + 1].id : loose ? "v" + e.value : "o" + e.from;
    const b = k + 1 < two.length ? "c" + two[k + 1].id : "o" + e.to;
    if (a === b) continue;
    const at = one[k].id;
    if (!links.has(at)) links.set(at, { up: new Map(), down: new Map() });
    const { up, down } = links.get(at);
    page.push(up, b, a);
    page.push(down, a, b);
  }

  // Centres as near as possible to those wished for, in this order and without overlap (pool adjacent violators).
  const settle = (row, wish) => {
    let shift = 0;
    const blocks = [];
    row.forEach((b, i) => {
      if (i) shift += row[i - 1].r + gap.x + b.l;
      b.shift = shift;
      blocks.push({ sum: wish[i] - shift, n: 1 });
      while (blocks.length > 1 && blocks[blocks.length - 2].sum / blocks[blocks.length - 2].n > blocks[blocks.length - 1].sum / blocks[blocks.length - 1].n) {
        const last = blocks.pop();
        blocks[blocks.length - 1].sum += last.sum;
        blocks[blocks.length - 1].n += last.n;
      }
    });
    let i = 0;
    for (const block of blocks) for (let k = 0; k < block.n; k++, i++) row[i].x = block.sum / block.n + row[i].shift;
  };

  const inside = (c, open) => {
    const rows = [];
    for (const rank of c.ranks) {
      const row = rank.filter((item) => item.value === undefined || !host.has(item.value)).map((item) => box(item, open)).filter(Boolean);
      if (row.length) rows.push(row);
    }
    const at = new Map();
    const { up = new Map(), down = new Map() } = links.get(c.id) || {};
    // A row of repeated neighbours is one item: those behind its first stand for it.
    const name = (key) => {
      if (key[0] !== "c") return key;
      const d = containers[Number(key.slice(1))];
      return d.row && !open.has(d.row.key + "*") ? "r" + d.row.id : key;
    };
    for (const row of rows) for (const b of row) at.set(b.key, b);
    const pull = (row, map) => row.map((b) => {
      const mine = b.kind === "row" ? page.rowOf(containers[b.id]).map((d) => "c" + d.id) : [b.key];
      const near = mine.flatMap((key) => map.get(key) || []).map((key) => at.get(name(key))).filter((n) => n && n !== b && n.x !== undefined);
      return near.length ? near.reduce((sum, n) => sum + n.x, 0) / near.length : b.x ?? 0;
    });
    for (const row of rows) settle(row, pull(row, up));
    for (let k = rows.length - 1; k >= 0; k--) settle(rows[k], pull(rows[k], down));
    if (c.parent === null || rows.length < 200) for (const row of rows) settle(row, pull(row, up));
    let low = 0, high = 0, y = c.parent === null ? 0 : gap.title + 6;
    if (rows.length) { low = Infinity; high = -Infinity; }
    for (const row of rows) {
      const tall = row.reduce((most, b) => Math.max(most, b.h), 0);
      for (const b of row) {
        b.y = y + (tall - b.h) / 2;
        low = Math.min(low, b.x - b.l);
        high = Math.max(high, b.x + b.r);
      }
      y += tall + gap.y;
    }
    if (rows.length) y -= gap.y;
    const pad = c.parent === null ? 0 : gap.pad;
    const lastRow = rows[rows.length - 1] || [];
    const anchor = lastRow.length ? lastRow[Math.floor(lastRow.length / 2)].x : 0;
    const title = page.clip(page.label(c), 40);
    const least = c.parent === null ? 0 : width(title, fonts.name) + 50;
    if (high - low + 2 * pad < least) high += least - (high - low + 2 * pad);
    return {
      key: "c" + c.id,
      kind: "open",
      id: c.id,
      rows,
      name: title,
      l: anchor - low + pad,
      r: high - anchor + pad,
      w: high - low + 2 * pad,
      h: y + pad,
      anchor
    };
  };

  /// Everything visible, with absolute x, y (left, top), w, h and centre: `list` in drawing order, `find` by key.
  page.place = (open) => {
    const list = [], find = new Map();
    const put = (b, x, y, depth, parent) => {
      const item = { key: b.key, kind: b.kind, id: b.id, name: b.name, under: b.under, shape: b.shape, leaf: b.leaf, depth, parent, centre: x, y };
      if (b.kind === "open") {
        Object.assign(item, { x: x - b.l, w: b.w, h: b.h });
        add(item);
        for (const row of b.rows) for (const n of row) put(n, x + n.x - b.anchor, y + n.y, depth + 1, item);
        return;
      }
      const h = b.kind === "row" ? b.h - 8 : b.own || b.h;
      Object.assign(item, { x: x - b.w / 2, w: b.w, h, y: y + (b.own ? (b.h - b.own) / 2 : 0) });
      add(item);
      (b.extra || []).forEach((e, i) => add({
        ...e, depth, parent, host: item, x: item.x - 32 - e.w, y: y + (b.h - b.high) / 2 + i * 32, centre: item.x - 32 - e.w / 2,
      }));
    };
    const add = (item) => { list.push(item); find.set(item.key, item); };
    const root = inside(containers[0], open);
    for (const row of root.rows) for (const b of row) put(b, b.x, b.y, 0, null);
    let box = { x: Infinity, y: Infinity, r: -Infinity, b: -Infinity };
    for (const i of list) box = { x: Math.min(box.x, i.x), y: Math.min(box.y, i.y), r: Math.max(box.r, i.x + i.w), b: Math.max(box.b, i.y + i.h) };
    if ((page.data.stops || []).length) box.b += 26;
    if (!list.length) box = { x: 0, y: 0, r: 100, b: 100 };

    // The nearest visible end of an operation, or of a value that is an item of its own.
    const shown = containers.map(() => undefined);
    const standsFor = (c) => {
      if (shown[c.id] !== undefined) return shown[c.id];
      let found = null;
      for (const d of chains[c.id]) {
        if (d.parent === null) continue;
        if (d.row && !open.has(d.row.key + "*")) { found = find.get("r" + d.row.id) || null; break; }
        if (!open.has(d.key)) { found = find.get("c" + d.id) || null; break; }
      }
      return (shown[c.id] = found);
    };
    const ofOp = (id) => find.get("o" + id) || standsFor(page.containerOf(id)) || null;
    const ofValue = (v) => find.get("v" + v) || standsFor(page.placeOfValue.get(v)) || null;
    const itemOf = (operation) => {
      if (operation === null || operation === undefined) return null;
      const o = operations[operation];
      if (o.kind !== "operation") for (const v of o.outputs) if (page.placeOfValue.has(v)) return ofValue(v);
      return ofOp(operation);
    };
    const joined = new Map();
    for (const e of edges) {
      const from = page.placeOfValue.has(e.value) ? ofValue(e.value) : e.from === null ? null : ofOp(e.from), to = ofOp(e.to);
      if (!from || !to || from === to) continue;
      const folded = from.kind === "folded" || from.kind === "row" || to.kind === "folded" || to.kind === "row";
      const key = from.key + ">" + to.key + (folded ? "" : ":" + e.input);
      if (!joined.has(key)) joined.set(key, { key, from, to, edges: [e] });
      else joined.get(key).edges.push(e);
    }
    // What was cut: the line that no gradient takes.
    for (const stop of page.data.stops || []) {
      const from = itemOf(stop.from_operation), to = page.placeOfValue.has(stop.value) ? ofValue(stop.value) : null;
      if (from && to && from !== to) joined.set("cut" + stop.value, { key: "cut" + stop.value, from, to, edges: [], cut: stop });
    }
    const lines = [...joined.values()];
    return { list, find, lines, box, itemOf, routed: false };
  };
})();
