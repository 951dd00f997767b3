// The graph: what is open placed and painted, moved and zoomed; the present node is kept in view.
(() => {
  const root = document.getElementById("graph");
  const { el, svg } = page;
  const picture = svg("svg", { tabindex: 0, role: "img", id: "picture" });
  const world = svg("g");
  picture.append(world);
  const corner = el("div", { class: "corner" });
  const legend = el("p", { class: "legend" });
  root.append(picture, legend, corner);
  const drawing = page.drawing(world);

  let placed = null, flow = null, chosen = null, drawn = null, waiting = false, first = true;
  const view = { x: 0, y: 0, k: 1 };
  const size = { w: 0, h: 0 };
  const measure = () => { size.w = root.clientWidth || 600; size.h = (root.clientHeight || 436) - 36; };
  const seen = () => ({ x: -view.x / view.k, y: -view.y / view.k, r: (size.w - view.x) / view.k, b: (size.h - view.y) / view.k });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const show = (force) => {
    waiting = false;
    world.setAttribute("transform", `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.k.toFixed(4)})`);
    picture.classList.toggle("far", view.k < 0.4);
    const r = seen();
    if (!force && drawn && r.x >= drawn.x && r.y >= drawn.y && r.r <= drawn.r && r.b <= drawn.b) return;
    const w = (r.r - r.x) / 3, h = (r.b - r.y) / 3;
    drawn = { x: r.x - w, y: r.y - h, r: r.r + w, b: r.b + h };
    page.paint(drawing, placed, flow, drawn, chosen);
  };
  const later = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => show(false)); } };

  // ---- moving the view
  let motion = 0;
  const moveTo = (x, y, k, soon) => {
    cancelAnimationFrame(motion);
    if (soon || calm.matches || page.playing) {
      Object.assign(view, { x, y, k });
      return show(false);
    }
    const from = { ...view }, start = performance.now();
    const frame = (time) => {
      const f = Math.min(1, (time - start) / 180), e = 1 - (1 - f) ** 3;
      view.x = from.x + (x - from.x) * e;
      view.y = from.y + (y - from.y) * e;
      view.k = from.k + (k - from.k) * e;
      show(false);
      if (f < 1) motion = requestAnimationFrame(frame);
    };
    motion = requestAnimationFrame(frame);
  };
  const least = () => Math.min(0.1, fitScale());
  const fitScale = () => Math.min((size.w - 48) / (placed.box.r - placed.box.x), (size.h - 48) / (placed.box.b - placed.box.y));
  const fit = (soon) => {
    const k = Math.max(0.05, Math.min(1.25, fitScale())), here = present();
    if (fitScale() < k && here) return centre(here, k, soon);
    moveTo((size.w - k * (placed.box.r + placed.box.x)) / 2, (size.h - k * (placed.box.b + placed.box.y)) / 2, k, soon);
  };
  // As near to the middle as leaves no needless void; what fits stands in the middle as a whole.
  const clamp = (at, low, high, all) => {
    const edge = 24;
    if (high - low <= all - 2 * edge) return (all - high - low) / 2;
    return Math.max(all - edge - high, Math.min(edge - low, at));
  };
  const centre = (item, k, soon) => moveTo(clamp(size.w / 2 - k * (item.x + item.w / 2), k * placed.box.x, k * placed.box.r, size.w),
    clamp(size.h / 2 - k * (item.y + item.h / 2), k * placed.box.y, k * placed.box.b, size.h), k, soon);
  const zoom = (factor, x = size.w / 2, y = size.h / 2, soon = true) => {
    const k = Math.max(Math.max(0.05, least()), Math.min(4, view.k * factor));
    moveTo(x - (x - view.x) * (k / view.k), y - (y - view.y) * (k / view.k), k, soon);
  };
  const present = () => placed.itemOf(page.looked());
  const keep = (soon) => {
    const item = present();
    if (!item) return;
    const x = view.x + item.x * view.k, y = view.y + item.y * view.k, w = item.w * view.k, h = item.h * view.k;
    const side = Math.min(90, size.w / 6), above = Math.min(90, size.h / 6);
    if (x < side / 2 || y < above || x + w > size.w - side || y + h > size.h - above) centre(item, view.k < 0.45 ? 0.8 : view.k, soon);
  };
  page.view = {
    fit: () => fit(false), zoom: (f) => zoom(f, undefined, undefined, false),
    toPresent: () => { const item = present(); if (item) centre(item, Math.max(view.k, 0.8), false); },
    get placed() { return placed; },
    picture: (all) => {
      const r = all ? { x: placed.box.x - 20, y: placed.box.y - 20, r: placed.box.r + 30, b: placed.box.b + 30 } : seen();
      const copy = svg("svg", {
        xmlns: "http://www.w3.org/2000/svg",
        viewBox: `${r.x.toFixed(1)} ${r.y.toFixed(1)} ${(r.r - r.x).toFixed(1)} ${(r.b - r.y).toFixed(1)}`,
        class: "picture"
      });
      if (!all) { copy.setAttribute("width", Math.round(size.w)); copy.setAttribute("height", Math.round(size.h)); }
      page.paint(page.drawing(copy), placed, flow, r, chosen);
      return copy;
    },
  };

  // What was placed of late, by what is open: steps go to and fro between a few such pictures.
  const kept = new Map();
  const placeOf = (state) => {
    const key = state.lang + "\n" + [...state.open].sort().join("\n"), found = kept.get(key) || page.place(state.open);
    kept.delete(key);
    kept.set(key, found);
    if (kept.size > 12) kept.delete(kept.keys().next().value);
    return found;
  };

  // What the signs mean, of those that this computation has.
  let has = null;
  const look = () => ({
    zero: page.notices.some((f) => f.key === "note_leaf_zero") || page.steps.some((s) => page.gradientNorm(s.id, "of_outputs", 0) === 0),
    waits: (page.data.waits || []).some((w) => w.expected > 1) || (page.data.leaf_waits || []).some((w) => w.expected > 1),
    flag: page.notices.length > 0, cut: (page.data.stops || []).some((s) => s.why === "detach" || s.why === "no_grad"),
  });
  const signs = (kind) => (has ??= look()) && [kind, ...(kind === "forward" ? [] : [...["zero", "waits"].filter((k) => has[k]), "width"]), ...["flag", "cut"].filter((k) => has[k])];

  // ---- listening
  const draw = (state, changed) => {
    if (!first && !["step", "node", "open", "lang"].some((name) => changed.has(name))) return;
    if (changed.has("lang") || first) words();
    const at = page.at(state.step);
    const looked = page.looked();
    const again = !placed || changed.has("open") || changed.has("lang");
    const old = placed ? placed.itemOf(looked) : null;
    if (again) placed = placeOf(state);
    if (again || changed.has("step")) flow = page.flow(state.step);
    const item = placed.itemOf(state.node);
    chosen = item ? item.key : null;
    picture.setAttribute("aria-label", page.t("graph") + ". " + page.title(looked));
    if (first) {
      measure();
      const k = fitScale();
      if (k >= 0.62) fit(true);
      else {
        view.k = Math.max(0.8, Math.min(1, (size.w - 48) / (placed.box.r - placed.box.x)));
        const here = present() || placed.list[0];
        view.x = size.w / 2 - view.k * (placed.box.r + placed.box.x) / 2;
        view.y = 24 - view.k * placed.box.y;
        drawn = null;
        if (here && at.operation !== null) { show(true); keep(true); }
      }
      first = false;
    } else if (again && old) {
      const now = placed.itemOf(looked);
      if (now) {
        view.x += view.k * (old.centre - now.centre);
        view.y += view.k * (old.y - now.y);
      }
    }
    show(true);
    if (changed.has("step") || changed.has("node") || changed.has("open")) keep(false);
    page.fill(legend, signs(at.kind).map((key) => page.t("legend_" + key)).join("|").split("|").map((words) => el("span", {}, words)));
  };
  const words = () => {
    const button = (d, key, fn, keys) => el(
      "button", { class: "plain", type: "button", title: page.t(key) + " (" + keys + ")", "aria-label": page.t(key), click: fn },
      svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d })));
    page.fill(
      corner, button("M3 8h10", "zoom_out", () => zoom(1 / 1.3, undefined, undefined, false), "-"),
      button("M3 8h10M8 3v10", "zoom_in", () => zoom(1.3, undefined, undefined, false), "+"),
      button("M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4", "fit", () => fit(false), "0"),
      button("M8 1v4M8 11v4M1 8h4M11 8h4M8 5a3 3 0 100 6 3 3 0 000-6", "to_present", page.view.toPresent, "Esc"));
    root.setAttribute("aria-label", page.t("graph"));
  };

  // ---- hands: a wheel zooms, one finger or the mouse moves, two fingers zoom, a click chooses or folds
  picture.addEventListener("wheel", (event) => {
    event.preventDefault();
    const r = picture.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.clientX - r.left, event.clientY - r.top);
  }, { passive: false });
  const fingers = new Map();
  let moved = 0;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    cancelAnimationFrame(motion);
    if (event.isPrimary) fingers.clear();  // one that was lifted elsewhere
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    moved = 0;
  });
  picture.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY], dx = now[0] - before[0], dy = now[1] - before[1];
    moved += Math.abs(dx) + Math.abs(dy);
    if (moved < 4) return;
    if (!picture.hasPointerCapture(event.pointerId)) picture.setPointerCapture(event.pointerId);
    picture.classList.add("drags");
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1], r = picture.getBoundingClientRect();
      const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      zoom(far(now, other) / far(before, other), (now[0] + other[0]) / 2 - r.left, (now[1] + other[1]) / 2 - r.top);
    } else {
      view.x += dx;
      view.y += dy;
      later();
    }
    fingers.set(event.pointerId, now);
  });
  const leave = (event) => { fingers.delete(event.pointerId); picture.classList.remove("drags"); };
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, leave);  // wherever it is lifted
  picture.addEventListener("lostpointercapture", leave);
  const keyOf = (item) => {
    const c = page.layout.containers[item.id];
    return item.kind === "row" ? c.key + "*" : c.key;
  };
  picture.addEventListener("click", (event) => {
    if (moved >= 4) return;
    const fold = event.target.closest("[data-fold]"), group = event.target.closest("[data-key]");
    const item = group && placed.find.get(group.dataset.key);
    if (!item) return page.state.node !== null && page.go({ node: null });
    if (fold || item.kind === "folded" || item.kind === "row") return page.toggle(keyOf(item));
    if (item.kind === "open") return;
    const operation = item.kind === "op" ? item.id : page.values[item.id].operation;
    if (operation !== null) page.go({ node: page.state.node === operation ? null : operation });
  });
  picture.addEventListener("dblclick", (event) => {
    const group = event.target.closest("[data-key]"), item = group && placed.find.get(group.dataset.key);
    if (item && item.kind === "op") page.visit(item.id);
  });
  /// To where an operation runs: in the direction in which one is reading.
  page.visit = (operation) => {
    const t = page.times[operation], kind = page.at().kind;
    const at = kind === "backward" && t.backward.length ? t.backward[0] : t.forward ?? t.backward[0] ?? t.update[0];
    if (at !== null && at !== undefined) page.go({ step: at });
    else page.go({ node: operation });
  };

  new ResizeObserver(() => {
    if (!placed) return;
    const w = size.w, h = size.h;
    measure();
    view.x += (size.w - w) / 2;
    view.y += (size.h - h) / 2;
    show(true);
    keep(true);
  }).observe(root);
  page.on(draw);
})();
