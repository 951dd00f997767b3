// What has happened by a step: which operations have run, whose gradient has passed, who waits for another one, and how
// large what went along an edge was.
(() => {
  const { operations, steps, times, timeline, layout } = page;
  const { containers, container_of } = layout;
  const stepTime = new Map();
  timeline.forEach((entry, index) => { if (entry.kind === "backward") stepTime.set(entry.of, index); });

  // First and last index at which something of a container ran, of one list of times.
  const spans = (timeOf) => {
    const span = containers.map(() => [Infinity, -Infinity, 0]);
    operations.forEach((o) => {
      const t = timeOf(o.id);
      if (t === null || t === undefined || o.kind === "leaf") return;
      for (let c = containers[container_of[o.id] ?? 0]; c; c = c.parent === null ? null : containers[c.parent]) {
        const s = span[c.id];
        s[0] = Math.min(s[0], t);
        s[1] = Math.max(s[1], t);
        s[2]++;
      }
    });
    return span;
  };
  const forward = spans((id) => times[id].forward);

  /// L2 norm of a gradient as the data have it, or of its numbers where all are there; null: unknown.
  const fromNumbers = (g) => {
    const all = g && g.numbers && g.numbers.all;
    if (!all) return null;
    let sum = 0;
    for (const x of all) {
      if (x === "nan") return "nan";
      if (typeof x === "string") return "inf";
      sum += x * x;
    }
    return Math.sqrt(sum);
  };
  page.gradientNorm = (step, side, k) => {
    const known = page.normOf(step, side, k);
    return known !== undefined && known !== null ? known : fromNumbers((steps[step][side] || [])[k]);
  };

  // Of a pass: when each operation ran, when gradients came to it, what went along each edge.
  const passes = new Map();
  const pass = (id) => {
    if (passes.has(id)) return passes.get(id);
    const ran = new Map(), came = new Map(), along = new Map(), broken = containers.map(() => null), failed = new Set(), zero = new Set();
    const atLeaf = new Map();
    for (const w of page.data.leaf_waits || []) {
      if (w.pass !== id) continue;
      if (w.norm === 0) zero.add(w.operation);
      atLeaf.set(w.operation, page.mark(w.norm));
    }
    for (const step of steps) {
      if (step.pass !== id || !stepTime.has(step.id ?? steps.indexOf(step))) continue;
      const t = stepTime.get(step.id);
      ran.set(step.operation, t);
      if (step.of_outputs && step.of_outputs.length === 1 && page.gradientNorm(step.id, "of_outputs", 0) === 0) zero.add(step.operation);
      if (page.threw(step)) failed.add(step.operation);
      (step.of_inputs || []).forEach((g, k) => {
        along.set(step.operation + ":" + g.index, { t, norm: page.gradientNorm(step.id, "of_inputs", k) });
        const mark = page.mark(along.get(step.operation + ":" + g.index).norm);
        if (mark === "nan" || mark === "inf")
          for (let c = page.containerOf(step.operation); c; c = c.parent === null ? null : containers[c.parent]) broken[c.id] ??= { t, mark };
        if (g.to !== null && g.to !== undefined) page.push(came, g.to, t);
      });
    }
    const found = { ran, came, along, broken, failed, zero, atLeaf, span: spans((op) => ran.get(op)) };
    passes.set(id, found);
    return found;
  };
  // The pass that runs at an index, or ran last before it since forward was left.
  const passAt = (index) => {
    for (let i = Math.min(index, timeline.length - 1); i >= 0; i--) {
      if (timeline[i].kind === "backward") return steps[timeline[i].of].pass;
      if (timeline[i].kind === "forward") return null;
    }
    return null;
  };

  // Norms over the whole record: between which an edge's width goes.
  let low = Infinity, high = -Infinity;
  steps.forEach((step) => (step.of_inputs || []).forEach((_, k) => {
    const x = page.gradientNorm(step.id, "of_inputs", k);
    if (typeof x === "number" && x > 0) { low = Math.min(low, Math.log10(x)); high = Math.max(high, Math.log10(x)); }
  }));
  if (high - low < 2) { const middle = (high + low) / 2; low = middle - 1; high = middle + 1; }
  page.lineWidth = (norm) =>
    (typeof norm === "number" && norm > 0 && isFinite(high) ? 1.2 + 6.3 * Math.max(0, Math.min(1, (Math.log10(norm) - low) / (high - low))) : 2);

  /// The world at an index.
  page.flow = (index) => {
    const now = page.at(index), id = passAt(index), at = id === null ? null : pass(id);
    const one = (op) => {
      const o = operations[op], found = { state: "done", now: now.operation === op, went: false, came: 0, all: 0 };
      if (o.kind === "operation" && times[op].forward !== null && times[op].forward > index) found.state = "ahead";
      if (!at) return found;
      const ran = at.ran.get(op), came = at.came.get(op) || [];
      found.all = came.length;
      for (const t of came) if (t <= index) found.came++;
      found.zero = at.zero.has(op);
      found.failed = at.failed.has(op) && ran <= index;
      found.went = ran !== undefined ? ran <= index : o.kind !== "operation" && found.all > 0 && found.came === found.all;
      if (found.went && o.kind === "leaf" && at.atLeaf.get(op) !== "zero") found.mark = at.atLeaf.get(op);
      return found;
    };
    const box = (c) => {
      const found = { state: forward[c.id][0] > index && forward[c.id][2] ? "ahead" : "done", now: false, went: false, came: 0, all: 0 };
      const d = now.operation === null ? null : page.whereIs(now.operation);
      for (let e = d; e; e = e.parent === null ? null : containers[e.parent]) if (e === c) found.now = true;
      if (at && at.span[c.id][2]) found.went = at.span[c.id][1] <= index;
      if (at && at.broken[c.id] && at.broken[c.id].t <= index) found.mark = at.broken[c.id].mark;
      return found;
    };
    return {
      kind: now.kind, index,
      item(item) {
        if (item.kind === "op") return one(item.id);
        if (item.kind === "value") {
          const v = page.values[item.id];
          return v.operation !== null && operations[v.operation] ? one(v.operation) : { state: "done", now: false, went: false, came: 0, all: 0 };
        }
        const row = item.kind === "row" ? page.rowOf(containers[item.id]) : [containers[item.id]];
        const all = row.map(box);
        // Of modules around the present node only the innermost open one is marked.
        if (item.kind === "open") all[0].now = now.operation !== null && page.whereIs(now.operation).id === item.id;
        return {
          state: all.every((s) => s.state === "ahead") ? "ahead" : "done", now: all.some((s) => s.now), went: all.every((s) => s.went), came: 0, all: 0,
          mark: (all.find((s) => s.mark) || {}).mark, stops: row.reduce((n, c) => n + (page.stopsIn.get(c.id) || 0), 0),
          which: item.kind === "row" ? all.findIndex((s) => s.now) : -1,
        };
      },
      // Of a drawn line: whether a value has gone along it, whether a gradient has, and the largest norm.
      line(line) {
        if (line.cut) return { done: true, went: false, norm: null, mark: "cut", fresh: false };
        let done = false, went = false, norm = null, mark = null;
        for (const e of line.edges) {
          const t = times[e.to].forward;
          if (t === null || t <= index) done = true;
          const g = at && at.along.get(e.to + ":" + e.input);
          if (!g || g.t > index) continue;
          went = true;
          const m = page.mark(g.norm);
          if (m === "nan" || (m === "inf" && mark !== "nan")) mark = m;
          else if (m === "zero" && mark === null && norm === null) mark = "zero";
          if (typeof g.norm === "number" && g.norm > 0) { norm = Math.max(norm ?? 0, g.norm); if (mark === "zero") mark = null; }
        }
        const fresh = went && now.kind === "backward" && line.edges.some((e) => e.to === now.operation);
        return { done, went, norm, mark, fresh };
      },
    };
  };

  // Where gradients stop: at what had a history and was cut, else at the value that has none.
  const stops = new Map();
  page.stopsIn = new Map();
  for (const stop of page.data.stops || []) {
    if (stop.why === "integer" && (page.values[stop.value] || {}).output > 0) continue;  // beside the result: a mask, say
    const from = stop.why === "integer" ? null : operations[stop.from_operation] || null;
    const value = from ? stop.from_value : stop.value, placed = page.placeOfValue.get(value);
    const key = placed ? "v" + value : from ? "o" + from.id : operations[stop.from_operation] ? "o" + stop.from_operation : null;
    if (!key) continue;
    if (stops.has(key)) { stops.get(key).add(stop.why); continue; }
    stops.set(key, new Set([stop.why]));
    for (let c = placed || page.containerOf(stop.from_operation); c; c = c.parent === null ? null : containers[c.parent])
      page.stopsIn.set(c.id, (page.stopsIn.get(c.id) || 0) + 1);
  }
  /// Why history ends at an item, in words; "" where it does not.
  page.stopAt = (key) => [...(stops.get(key) || [])].map(page.why).join(", ");
  page.why = (why) => page.t("why_" + String(why).replace(/\W/g, "_")) === "why_" + String(why).replace(/\W/g, "_")
    ? String(why)
    : page.t("why_" + String(why).replace(/\W/g, "_"));
})();
