// What the data say, made quick to ask: the timeline, where each operation stands on it, modules and what is open of them.
// Of a record without layout a plain one is made here, so that the page works with any record.
(() => {
  const { data, record } = page;
  const operations = (page.operations = record.operations || []);
  const values = (page.values = record.values || []);
  const steps = (page.steps = record.steps || []);
  const updates = record.updates || [];

  page.timeline = data.timeline || (record.memory || []).flatMap(({ event, of }) =>
    event === "operation" && operations[of].kind === "operation" ? [{ kind: "forward", of }]
      : event === "step" ? [{ kind: "backward", of }] : []);

  /// What happens at an index of the timeline: kind, operation (id; null: none), and the step or update itself.
  page.at = (index = page.state.step) => {
    const entry = page.timeline[index];
    if (!entry) return { kind: "forward", operation: null };
    if (entry.kind === "backward") return { kind: "backward", step: steps[entry.of], operation: steps[entry.of].operation };
    if (entry.kind === "update") {
      const update = updates[entry.of] || {};
      return { kind: "update", update, operation: update.parameter ?? null };
    }
    return { kind: "forward", operation: entry.of };
  };
  /// The operation that is looked at: the chosen node's, or the step's.
  page.looked = () => page.state.node ?? page.at().operation;

  // Of each operation the indices at which it ran.
  const times = operations.map(() => ({ forward: null, backward: [], update: [] }));
  page.timeline.forEach((_, index) => {
    const { kind, operation } = page.at(index);
    if (operation === null || !times[operation]) return;
    if (kind === "forward") times[operation].forward = index;
    else times[operation][kind].push(index);
  });
  page.times = times;

  page.backwardStarts = data.backward_starts || page.timeline.flatMap((entry, index) => {
    const before = page.timeline[index - 1];
    if (entry.kind !== "backward") return [];
    return !before || before.kind !== "backward" || steps[before.of].pass !== steps[entry.of].pass ? [index] : [];
  });

  // ---- modules
  const parts = (path) => (path ? path.split(".") : []);
  // A module that is called again, after another, is a container of its own.
  const plain = () => {
    const containers = [{ id: 0, path: "", call: 1, parent: null, ranks: [], operations: 0 }];
    const calls = new Map(), container_of = [], edges = [], item = new Map(), ranks = [new Map()];
    let stack = [0];
    const enter = (module) => {
      const names = parts(module);
      let deep = 0;
      while (deep < names.length && deep + 1 < stack.length && containers[stack[deep + 1]].path === names.slice(0, deep + 1).join(".")) deep++;
      stack = stack.slice(0, deep + 1);
      for (; deep < names.length; deep++) {
        const path = names.slice(0, deep + 1).join("."), id = containers.length;
        calls.set(path, (calls.get(path) || 0) + 1);
        containers.push({ id, path, call: calls.get(path), parent: stack[deep], ranks: [], operations: 0 });
        ranks.push(new Map());
        stack.push(id);
      }
      return stack[deep];
    };
    const up = (id) => { const all = []; for (let c = id; c !== null; c = containers[c].parent) all.unshift(c); return all; };
    const rank = (where, key, least) => ranks[where].set(key, Math.max(ranks[where].get(key) ?? 0, least));
    // Where two items meet: the innermost container of both, and what stands for each there.
    const meet = (a, keyA, b, keyB) => {
      const one = up(a), two = up(b);
      let k = 0;
      while (k + 1 < one.length && k + 1 < two.length && one[k + 1] === two[k + 1]) k++;
      return [one[k], k + 1 < one.length ? "c" + one[k + 1] : keyA, k + 1 < two.length ? "c" + two[k + 1] : keyB];
    };
    operations.forEach((operation) => {
      if (operation.kind === "leaf") return container_of.push(0);
      const here = operation.during_step === null || operation.during_step === undefined ? enter(operation.module) : enter("");
      container_of.push(here);
      for (const c of up(here)) containers[c].operations++;
      rank(here, "o" + operation.id, 0);
      for (let c = here; containers[c].parent !== null; c = containers[c].parent) rank(containers[c].parent, "c" + c, 0);
      operation.inputs.forEach((v, input) => {
        if (v === null) return;
        const from = values[v].operation, source = from === null ? null : operations[from];
        const loose = !source || source.kind === "leaf";
        const key = loose ? "v" + v : "o" + from;
        if (loose && !item.has(v)) { item.set(v, here); rank(here, key, 0); }
        edges.push({ from, output: values[v].output ?? 0, value: v, to: operation.id, input });
        const [where, a, b] = meet(loose ? item.get(v) : container_of[from], key, here, "o" + operation.id);
        rank(where, b, (ranks[where].get(a) ?? 0) + 1);
      });
    });
    // A leaf stands right above its first use.
    const uses = new Map();
    for (const e of edges) if (item.has(e.value)) page.push(uses, e.value, e);
    for (const [v, where] of item) {
      let least = Infinity;
      for (const e of uses.get(v) || []) {
        const [at, , b] = meet(where, "v" + v, container_of[e.to], "o" + e.to);
        if (at === where) least = Math.min(least, ranks[where].get(b) - 1);
      }
      if (least !== Infinity) ranks[where].set("v" + v, Math.max(0, least));
    }
    const kinds = { o: "op", c: "container", v: "value" };
    ranks.forEach((map, id) => {
      for (const [key, r] of map) (containers[id].ranks[r] ??= []).push({ [kinds[key[0]]]: Number(key.slice(1)) });
      containers[id].ranks = [...containers[id].ranks].map((row) => row || []);
    });
    return { containers, container_of, edges };
  };
  const layout = (page.layout = data.layout || plain());
  const containers = layout.containers;

  // A parameter of a module that several of its operations use stands in it, above the first of them.
  {
    const up = (id) => { const all = []; for (let c = containers[id]; c; c = c.parent === null ? null : containers[c.parent]) all.unshift(c.id); return all; };
    const users = new Map();
    for (const e of layout.edges) page.push(users, e.value, e.to);
    const moves = [];
    for (const c of containers) c.ranks.forEach((rank, r) => rank.forEach((item) => {
      const to = item.value !== undefined && users.get(item.value);
      if (!to) return;
      const chains = to.map((o) => up(layout.container_of[o]));
      let k = 0;
      while (chains.every((chain) => k + 1 < chain.length && chain[k + 1] === chains[0][k + 1])) k++;
      const inner = containers[chains[0][k]];
      const name = (values[item.value] || {}).name || "";
      if (inner !== c && chains[0].includes(c.id) && name.startsWith(inner.path + ".")) moves.push({ item, rank, inner, k, chains, to });
    }));
    const above = new Map();
    for (const { item, rank, inner, k, chains, to } of moves) {
      rank.splice(rank.indexOf(item), 1);
      const is = (i) => to.some((o, n) => (chains[n].length > k + 1 ? i.container === chains[n][k + 1] : i.op === o));
      const first = inner.ranks.findIndex((row) => row.some(is));
      if (first <= 0) { inner.ranks.unshift([]); above.set(inner, inner.ranks[0]); }
      inner.ranks[Math.max(0, first - 1)].push(item);
    }
    if (moves.length) for (const c of containers) c.ranks = c.ranks.filter((rank) => rank.length);
  }

  // A container's key, as the address has it: its path, and ":2" for the second call. A row of repeated neighbours has the
  // key of its first with "*".
  page.key = (c) => (c.path || (c.label || "module-" + c.id).replace(/\s+/g, "-")) + (c.call > 1 ? ":" + c.call : "");
  const heads = new Map();
  for (const c of containers) {
    c.key = c.parent === null ? "" : page.key(c);
    const head = c.same_as !== null && c.same_as !== undefined ? containers[c.same_as] : c.repeat > 1 ? c : null;
    c.row = head;
    if (head) page.push(heads, head.id, c);
  }
  page.rowOf = (head) => heads.get(head.id) || [head];
  page.label = (c) => {
    const again = /^backward (\d+)$/.exec(c.label || "");
    return again && !c.path ? page.t("Backward") + " " + again[1] : c.label || parts(c.path).pop() || "";
  };
  page.pathOf = (operation) =>
    (operation === null || operation === undefined
       ? ""
       : page.whereIs(operation).path || (page.whereIs(operation).parent === null ? "" : page.label(page.whereIs(operation))));
  page.containerOf = (operation) => containers[layout.container_of[operation] ?? 0] || containers[0];
  // Leaves stand where the layout put them.
  page.placeOfValue = new Map();
  for (const c of containers) for (const rank of c.ranks) for (const item of rank)
    if (item.value !== undefined) page.placeOfValue.set(item.value, c);
  /// Keys of what must be open for this container's contents to be seen, outermost first.
  page.above = (c) => {
    const keys = [];
    for (; c && c.parent !== null; c = containers[c.parent]) {
      keys.unshift(c.key);
      if (c.row) keys.unshift(c.row.key + "*");
    }
    return keys;
  };
  page.whereIs = (operation) => {
    if (operation === null || operation === undefined) return containers[0];
    const o = operations[operation];
    if (o.kind !== "operation") for (const v of o.outputs) if (page.placeOfValue.has(v)) return page.placeOfValue.get(v);
    return page.containerOf(operation);
  };

  // What is open at first: outer modules before inner ones, as long as no more than so many nodes are seen.
  const seen = 70;
  const byDefault = new Set();
  {
    const size = (c) => c.ranks.reduce((n, rank) => n + rank.filter((i) => i.container === undefined ||
      !(containers[i.container].same_as >= 0 && containers[i.container].same_as !== null)).length, 0);
    let shown = size(containers[0]), level = [containers[0]];
    while (level.length) {
      const next = level.flatMap((c) => c.ranks.flat()).filter((i) => i.container !== undefined).map((i) => containers[i.container]);
      for (const c of next) {
        if (c.row && !byDefault.has(c.row.key + "*")) continue;
        if (!page.above(containers[c.parent]).every((key) => byDefault.has(key))) continue;
        if (shown + size(c) > seen) continue;
        shown += size(c);
        byDefault.add(c.key);
      }
      for (const c of next)
        if (c.row === c && shown + c.repeat <= seen / 3 && !byDefault.has(c.key + "*")) { byDefault.add(c.key + "*"); shown += c.repeat; }
      level = next.filter((c) => byDefault.has(c.key));
    }
  }

  /// After a change of state: what is open now. A step opens what it needs; what the reader folds stays folded until then.
  let last = null;
  page.settle = (changed) => {
    const state = page.state;
    const need = new Set([...page.above(page.whereIs(page.at().operation)), ...page.above(page.whereIs(state.node ?? page.at().operation))]);
    if (last !== null && (changed.has("step") || changed.has("node")) && !changed.has("folded")) {
      const kept = new Set([...state.folded].filter((key) => !need.has(key)));
      if (kept.size !== state.folded.size) { state.folded = kept; changed.add("folded"); }
    }
    const open = new Set([...byDefault, ...need, ...state.opened]);
    for (const key of state.folded) open.delete(key);
    if (last === null || open.size !== last.size || [...open].some((key) => !last.has(key))) changed.add("open");
    state.open = last = open;
  };
  const change = (key, opens) => {
    const opened = new Set(page.state.opened), folded = new Set(page.state.folded);
    opened.delete(key);
    folded.delete(key);
    if (opens && !byDefault.has(key)) opened.add(key);
    if (!opens) folded.add(key);
    return { opened, folded };
  };
  page.unfold = (key, opens = true) => page.go(change(key, opens));
  page.toggle = (key) => page.unfold(key, !page.state.open.has(key));
  page.foldAll = () => page.go({
    opened: new Set(),
    folded: new Set(containers.filter((c) => c.parent !== null)
                      .flatMap((c) => [c.key, c.key + "*"])
                      .filter((key) => page.state.open.has(key) || page.state.folded.has(key)))
  });
  page.openAll = () => page.go({
    opened: new Set(
      containers.filter((c) => c.parent !== null).flatMap((c) => c.row === c ? [c.key, c.key + "*"] : [c.key]).filter((key) => !byDefault.has(key))),
    folded: new Set()
  });

  /// Whether an exception came out of a step; one in which the record was stopped has merely not been seen to its end.
  page.threw = (step) => !!step.error || (step.completed === false && record.passes?.[step.pass]?.end !== "open");
  page.errorText = (text) => (text ? page.el("samp", { class: "error" }, text) : null);

  // ---- names and numbers that several parts show
  page.shape = (value) => (value && value.shape ? (value.shape.length ? value.shape.join(" × ") : page.t("scalar")) : "");
  page.result = (operation) => values[(operations[operation] || { outputs: [] }).outputs[0]];
  page.title = (operation) => {
    const o = operations[operation];
    if (!o) return "";
    return o.kind === "operation" ? o.name : (page.result(operation) || o).name || o.name;
  };
  /// Of several, the first few.
  page.titles = (all) => all.slice(0, 8).map(page.title).join(", ") + (all.length > 8 ? ", …" : "");
  /// The same where the module stands beside it: a parameter's name without its module's path.
  page.shortTitle = (operation) => {
    const title = page.title(operation), path = page.pathOf(operation);
    return path && title.startsWith(path + ".") ? title.slice(path.length + 1) : title;
  };
  const norms = data.norms || [];
  /// "zero", "nan", "inf" or null of a norm as the data have it.
  page.mark = (x) => (x === "nan" ? "nan" : x === "inf" || x === "-inf" ? "inf" : x === 0 ? "zero" : null);
  page.normOf = (step, side, k) => (norms[step] && norms[step][side] ? norms[step][side][k] : undefined);
  page.short = (x) => (x === "nan" ? "NaN" : x === "inf" || x === "-inf" ? "∞" : x === 0 ? "0"
    : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5 ? String(Number(x.toPrecision(3))) : x.toExponential(1).replace("e", "e").replace("+", ""));
})();
