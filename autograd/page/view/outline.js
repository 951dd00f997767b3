// The same computation as a tree: passes, in them modules, in them steps, in the order of time. A reader that speaks reads it
// in order; what is folded is made when it is opened.
(() => {
  const root = document.getElementById("outline");
  const { el, timeline, layout } = page;
  const { containers } = layout;
  const most = 200;

  // ---- the tree: a node is a range of the timeline, at a depth of modules
  const chain = (index) => {
    const at = page.at(index), all = [];
    for (let c = at.operation === null ? null : page.whereIs(at.operation); c && c.parent !== null; c = containers[c.parent]) all.unshift(c);
    return all;
  };
  const children = (node) => {
    if (node.children) return node.children;
    const found = [];
    for (let i = node.from; i < node.to;) {
      const c = node.chunk ? null : chain(i)[node.depth];
      let j = i + 1;
      if (c) while (j < node.to && chain(j)[node.depth] === c) j++;
      found.push(
        c ? { id: `${i}-${node.depth}`, from: i, to: j, depth: node.depth + 1, module: c, parent: node }
          : { id: String(i), from: i, to: j, leaf: true, parent: node });
      i = j;
    }
    node.children = found;
    if (found.length > most) {
      node.children = [];
      const each = Math.ceil(found.length / Math.ceil(found.length / 100));
      for (let k = 0; k < found.length; k += each) {
        const part = found.slice(k, k + each);
        const group = {
          id: `${part[0].from}~${node.depth}`,
          from: part[0].from,
          to: part[part.length - 1].to,
          parent: node,
          depth: node.depth,
          part: true,
          children: part
        };
        for (const n of part) n.parent = group;
        node.children.push(group);
      }
    }
    return node.children;
  };
  const tops = page.runs.map((run, k) => ({ id: "run" + k, from: run.from, to: run.to, depth: 0, run }));

  const open = new Set();      // what the reader opened
  let closed = new Set();      // what the reader closed although the step is in it
  let focused = null;
  const holds = (node) => node.from <= page.state.step && page.state.step < node.to;
  const isOpen = (node) => !node.leaf && !closed.has(node.id) && (open.has(node.id) || holds(node));
  const toggle = (node, on) => {
    if (on) { open.add(node.id); closed.delete(node.id); } else { open.delete(node.id); closed.add(node.id); }
    render();
  };
  const label = (node) => {
    if (node.run) return page.passWord(node.run);
    if (node.part) return page.t("range", { from: node.from + 1, to: node.to });
    if (node.module) {
      const label = page.label(node.module), names = new Set();
      if (!/^\d+$/.test(label)) return label;
      for (let i = node.from; i < node.to && names.size < 3; i++) names.add(page.operations[page.at(i).operation].name);
      return names.size < 3 ? label + " " + [...names].join(", ") : label;
    }
    return page.shortTitle(page.at(node.from).operation);
  };
  const extra = (node) => {
    if (!node.leaf) return page.t("steps", { n: node.to - node.from });
    const at = page.at(node.from), sizes = [];
    if (at.step && page.threw(at.step)) return "✕ " + page.clip((at.step.error || page.t("failed")).split("\n")[0], 200);
    if (at.kind !== "backward") sizes.push(page.shape(page.result(at.operation)));
    else {
      const norm = page.gradientNorm(at.step.id, "of_outputs", 0);
      if (norm !== null) sizes.push("‖∂‖ " + page.short(norm));
    }
    return sizes.join(" ");
  };
  const flag = (node) => {
    const inside = page.notices.filter((f) => f.step >= node.from && f.step < node.to);
    if (!inside.length) return null;
    const text = node.leaf ? inside.map(page.noticeText).join("; ") : page.t("notices", { n: inside.length });
    return el("span", { class: "flag", role: "img", "aria-label": text, title: text }, "⚑");
  };
  const items = new Map(), leaves = new Map();  // of leaves, what was made of late: most stay as they are
  const draw = (node, deep, place, all) => {
    const now = node.leaf && holds(node), opened = isOpen(node);
    const made = node.leaf && !now && leaves.get(node.id);
    if (made && made.lang === page.state.lang) {
      made.li.tabIndex = -1;
      items.set(node.id, { node, li: made.li });
      return made.li;
    }
    const row = el(
      "div", { class: "row", style: `--deep: ${deep}` },
      el(
        "span", { class: "mark", "aria-hidden": "true" },
        node.leaf  ? (now ? "●" : "")
          : opened ? "▾"
                   : "▸"),
      node.leaf && el("span", { class: "number" }, String(node.from + 1)), el("span", { class: "name" }, label(node)), flag(node), el("small", {}, extra(node)));
    const li = el(
      "li", {
        role: "treeitem",
        "aria-level": deep + 1,
        "aria-setsize": all,
        "aria-posinset": place + 1,
        "aria-expanded": node.leaf ? null : String(opened),
        "aria-current": now ? "step" : null,
        "aria-selected": now ? "true" : "false",
        tabindex: -1,
        "data-id": node.id
      },
      row);
    items.set(node.id, { node, li });
    if (node.leaf && !now) leaves.set(node.id, { li, lang: page.state.lang });
    if (opened) {
      const inner = children(node);
      li.append(el("ul", { role: "group" }, inner.map((n, k) => draw(n, deep + 1, k, inner.length))));
    }
    return li;
  };
  const heading = el("h2", { id: "outline-title" }), tree = el("ul", { role: "tree", "aria-labelledby": "outline-title" });
  root.append(heading, tree);
  const render = () => {
    const had = tree.contains(document.activeElement);
    heading.textContent = page.t("outline");
    root.setAttribute("aria-label", page.t("outline"));
    items.clear();
    page.fill(tree, tops.map((n, k) => draw(n, 0, k, tops.length)));
    const now = tree.querySelector("[aria-current]");
    const stop = (focused && items.has(focused) && items.get(focused).li) || now || tree.firstElementChild;
    if (!stop) return;
    stop.tabIndex = 0;
    if (had) stop.focus({ preventScroll: true });
    const seen = had ? stop : now;
    if (seen && (had || page.state.outline === "1")) {
      const line = seen.firstElementChild, y = line.getBoundingClientRect(), r = root.getBoundingClientRect();
      if (y.top < r.top + 40 || y.bottom > r.bottom - 20) root.scrollTop += y.top - r.top - r.height / 3;
    }
  };

  const focus = (node) => {
    if (!node || !items.has(node.id)) return;
    tree.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    focused = node.id;
    items.get(node.id).li.tabIndex = 0;
    items.get(node.id).li.focus();
  };
  const choose = (node) => {
    focused = node.id;
    if (node.leaf) page.go({ step: node.from });
    else toggle(node, !isOpen(node));
  };
  tree.addEventListener("click", (event) => {
    const li = event.target.closest("li");
    if (li && items.has(li.dataset.id)) choose(items.get(li.dataset.id).node);
  });
  tree.addEventListener("keydown", (event) => {
    const li = event.target.closest("li"), here = li && items.get(li.dataset.id);
    if (!here || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const { node } = here, order = [...items.values()].map((i) => i.node), at = order.indexOf(node);
    const keys = {
      ArrowDown: () => focus(order[at + 1]), ArrowUp: () => focus(order[at - 1]), Home: () => focus(order[0]), End: () => focus(order[order.length - 1]),
      ArrowRight: () => (node.leaf ? null : isOpen(node) ? focus(children(node)[0]) : toggle(node, true)),
      ArrowLeft: () => (!node.leaf && isOpen(node) ? toggle(node, false) : focus(node.parent)),
      Enter: () => choose(node), " ": () => choose(node),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    focused = node.id;
    keys[event.key]();
  });
  let soon = 0;
  page.on((state, changed) => {
    if (changed.has("step")) { closed = new Set(); focused = null; }
    if (!changed.has("step") && !changed.has("lang") && !changed.has("outline")) return;
    document.documentElement.toggleAttribute("data-outline", state.outline === "1");
    clearTimeout(soon);
    soon = setTimeout(render, 0);
  });
})();
