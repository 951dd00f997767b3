// A tensor as a heat map: shape, strides, dtype, its numbers where cells are large enough; elements are chosen by pointer and
// by arrow keys, one matrix of its last two dimensions at a time.
(() => {
  const { el } = page;
  const most = 64;                // rows and columns that are drawn
  const slices = new Map();       // which matrix of a tensor the reader looks at, by the picture's key

  const shown = (n, known) => {
    if (known) return known;
    if (n <= most) return [...Array(n).keys()];
    const half = most / 2 - 4;
    return [...Array(half).keys(), ...[...Array(half).keys()].map((k) => n - half + k)];
  };
  const parse = (text) => {
    const hex = /^#(..)(..)(..)$/.exec(text.trim());
    return hex ? hex.slice(1).map((h) => parseInt(h, 16)) : [128, 128, 128];
  };
  const mix = (a, b, t) => a.map((x, k) => Math.round(x + (b[k] - x) * t));
  const light = ([r, g, b]) => 0.2126 * (r / 255) ** 2.2 + 0.7152 * (g / 255) ** 2.2 + 0.0722 * (b / 255) ** 2.2;
  const rgb = (c) => `rgb(${c.join(",")})`;
  // Asked for once of each look: the answer makes the browser work out the styles of all that is new on the page.
  const palettes = new Map(), dark = matchMedia("(prefers-color-scheme: dark)");
  let colours = null;
  const look = () => {
    const { kind, theme } = document.documentElement.dataset, key = [kind, theme, dark.matches].join();
    if (!palettes.has(key)) palettes.set(key, palette());
    return palettes.get(key);
  };
  const palette = () => {
    const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name);
    return { neg: parse(of("--heat-neg")), zero: parse(of("--heat-zero")), pos: parse(of("--heat-pos")), text: of("--text").trim(),
      accent: of("--accent").trim(), raised: of("--raised").trim(), line: of("--line").trim(), muted: of("--muted").trim(), mono: of("--mono") };
  };
  // As many digits as a cell has room for.
  const fit = (x, room) => {
    for (let digits = 4; digits > 1; digits--) {
      const text = page.number(x, digits);
      if (text.length <= room) return text;
    }
    return Math.abs(x) < 0.01 || Math.abs(x) >= 1e4 ? x.toExponential(0).replace("e+", "e").replace(/-/g, "−") : page.number(x, 1);
  };
  const contiguous = ({ shape, strides }) => {
    let step = 1;
    for (let d = shape.length - 1; d >= 0; step *= shape[d], d--) if (shape[d] > 1 && strides[d] !== step) return false;
    return true;
  };
  page.index = (flat, shape) => (shape.length ? "[" + page.unravel(flat, shape).join(", ") + "]" : "");

  /// entry: {dtype, shape, numbers, strides?, offset?}; key: names the picture; lit: elements that take part; chosen: the
  /// element that is looked at; choose(flat): called when the reader chooses one.
  page.heat = (asked) => {
    const { entry, key, title, name = title, note, lit = [], chosen = null, choose = null } = asked;
    const known = page.numbers(entry), { shape, rows, columns } = known, matrix = rows * columns;
    const matrices = matrix ? known.size / matrix : 0;
    const first = chosen ?? lit[0] ?? null;
    let slice = first !== null && matrix ? Math.floor(first / matrix) : slices.get(key)?.slice ?? 0;
    // Where the reader has turned to another one, until the step or the chosen element changes.
    const now = [page.state.step, page.state.node, page.state.tensor, page.state.element].join(), turned = slices.get(key);
    if (turned && turned.now === now) slice = turned.slice;
    if (!known.whole || slice >= matrices) slice = 0;
    const R = shown(rows, known.places && known.places[0]), C = shown(columns, known.places && known.places[1]);
    const extent = page.extent(known), litSet = new Set(lit);
    const flatAt = (r, c) => slice * matrix + R[r] * columns + C[c];

    const facts = [el("b", {}, title), " ", el("span", { class: "type" }, page.type(entry))];
    if (note) facts.push(el("span", { class: "note" }, note));
    const more = [];
    if (entry.strides && !contiguous(entry)) more.push(page.t("strides") + " [" + entry.strides.join(", ") + "]");
    if (entry.offset) more.push(page.t("offset") + " " + entry.offset);
    const [low, high] = page.range(known);
    if (known.size > 1 && low !== null && low !== high) more.push(page.number(low, 3) + " … " + page.number(high, 3));
    if (known.statistics) more.push(page.t("mean_std", { mean: page.number(known.statistics.mean, 3), std: page.number(known.statistics.std, 3) }));
    const bad = known.statistics ? known.statistics.nan + known.statistics.infinite
      : known.whole ? entry.numbers.all.filter((x) => typeof x === "string").length : 0;
    if (bad) more.push(el("strong", { class: "bad" }, page.t("not_finite", { n: bad })));
    if (known.none) more.push(page.t("numbers_unknown"));
    else if (!known.whole) more.push(page.t("numbers_elided"));
    const caption = el("figcaption", {}, facts, el("span", { class: "facts" }, more.map((m, k) => [k ? " · " : "", m])));
    if (known.none || known.size === 0)
      return el("figure", { class: "tensor" }, caption, known.size === 0 ? el("p", { class: "note" }, page.t("no_elements")) : null);

    const canvas = el("canvas", {
      tabindex: choose ? "0" : null,
      role: choose ? "application" : "img",
      "data-key": key,
      "aria-roledescription": choose ? page.t("heat_map") : null,
      "aria-label":
        page.t(choose ? "heat_keys" : "heat_label", { name: title, type: page.type(entry), low: page.number(low, 3), high: page.number(high, 3) })
    });
    const says = el("output", { class: chosen === null ? "says floats" : "says", "aria-live": "off" });
    const say = (flat) => {
      says.textContent = flat === null ? "" : (name + page.index(flat, shape) + " = " + page.number(known.at(flat), 7));
    };

    let w = 0, h = 0, withText = false, gapsX = [], gapsY = [];
    const place = (list, size) => { // where cells begin; a gap of six pixels where some are left out
      const at = [];
      let x = 0;
      list.forEach((each, k) => { if (k && each !== list[k - 1] + 1) x += 7; at.push(x); x += size; });
      at.push(x);
      return at;
    };
    const measure = () => {
      const room = Math.max(120, page.room || 400);
      w = Math.max(3, Math.min(58, Math.floor((room - 16) / C.length)));
      withText = w >= 38 && R.length <= 24;
      h = withText ? 22 : Math.max(3, Math.min(w, R.length > 32 ? 7 : 14));
      gapsX = place(C, w);
      gapsY = place(R, h);
      const width = gapsX.at(-1) + 4, height = gapsY.at(-1) + 4, scale = window.devicePixelRatio || 1;
      canvas.width = width * scale;
      canvas.height = height * scale;
      canvas.style.width = width + "px";
      canvas.style.height = height + "px";
      // Who has no mouse scrolls with the keys what is wider than its place.
      if (!choose && width > room) canvas.parentNode.setAttribute("tabindex", "0");
      else canvas.parentNode.removeAttribute("tabindex");
      canvas.stale = true;
    };
    const draw = () => {
      const scale = window.devicePixelRatio || 1;
      canvas.stale = false;
      const g = canvas.getContext("2d", { willReadFrequently: true });  // painted by the processor: most are small
      colours = look();
      g.scale(scale, scale);
      g.translate(2, 2);
      g.font = `11.5px ${colours.mono || "monospace"}`;
      g.textAlign = "center";
      g.textBaseline = "middle";
      const ring = (r, c, colour, thick) => {
        g.strokeStyle = colour;
        g.lineWidth = thick;
        g.strokeRect(gapsX[c] + 0.5, gapsY[r] + 0.5, w - 2, h - 2);
      };
      for (let r = 0; r < R.length; r++)
        for (let c = 0; c < C.length; c++) {
          const x = known.at(flatAt(r, c)), left = gapsX[c], top = gapsY[r];
          if (x === undefined || !Number.isFinite(x)) {
            g.fillStyle = colours.raised;
            g.fillRect(left, top, w - 1, h - 1);
            g.strokeStyle = x === undefined ? colours.line : colours.text;
            g.lineWidth = 1;
            g.beginPath();  // hatched: no number
            for (let k = 0; k < w + h; k += 5) {
              g.moveTo(left + Math.min(k, w - 1), top + Math.max(0, k - w + 1));
              g.lineTo(left + Math.max(0, k - h + 1), top + Math.min(k, h - 1));
            }
            g.stroke();
            if (x !== undefined && withText) { g.fillStyle = colours.text; g.fillText(page.number(x), left + w / 2, top + h / 2); }
            continue;
          }
          const colour = mix(colours.zero, x < 0 ? colours.neg : colours.pos, Math.min(1, Math.abs(x) / extent) ** 0.8);
          g.fillStyle = rgb(colour);
          g.fillRect(left, top, w - 1, h - 1);
          if (withText) {
            g.fillStyle = light(colour) > 0.36 ? "#1b1a18" : "#ffffff";
            g.fillText(fit(x, Math.floor((w - 3) / 7)), left + w / 2 - 0.5, top + h / 2);
          }
        }
      for (let r = 0; r < R.length; r++)
        for (let c = 0; c < C.length; c++) if (litSet.has(flatAt(r, c))) ring(r, c, colours.accent, w > 8 ? 2.5 : 1.5);
      for (let r = 0; r < R.length; r++)
        for (let c = 0; c < C.length; c++) if (flatAt(r, c) === chosen) { ring(r, c, colours.text, 3); ring(r, c, colours.raised, 1); }
    };
    canvas.measure = measure;
    canvas.redraw = draw;

    const under = (event) => {
      const frame = canvas.getBoundingClientRect(), x = event.clientX - frame.left - 2, y = event.clientY - frame.top - 2;
      const find = (at, n, v) => { for (let k = 0; k < n; k++) if (v >= at[k] && v < at[k] + (at === gapsX ? w : h)) return k; return -1; };
      const r = find(gapsY, R.length, y), c = find(gapsX, C.length, x);
      return r < 0 || c < 0 ? null : flatAt(r, c);
    };
    canvas.addEventListener("pointermove", (event) => say(under(event) ?? chosen));
    canvas.addEventListener("pointerleave", () => say(chosen));
    if (choose) {
      canvas.addEventListener("click", (event) => {
        const flat = under(event);
        if (flat !== null) choose(flat);
      });
      canvas.addEventListener("keydown", (event) => {
        const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
        const move = moves[event.key];
        if (!move || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        let r = 0, c = 0;
        if (chosen !== null) {
          const inside = chosen - slice * matrix;
          r = R.indexOf(Math.floor(inside / columns));
          c = C.indexOf(inside % columns);
        }
        r = Math.max(0, Math.min(R.length - 1, r + (chosen === null ? 0 : move[0])));
        c = Math.max(0, Math.min(C.length - 1, c + (chosen === null ? 0 : move[1])));
        const flat = flatAt(r, c);
        choose(flat);
        document.getElementById("announce").textContent = name + page.index(flat, shape) + " = " + page.number(known.at(flat), 6);
      });
    }
    say(chosen);

    let pager = null, figure = null;
    const turnTo = (by) => {  // this picture alone is made anew
      const again = page.heat(asked), canvas = again.querySelector("canvas");
      figure.replaceWith(again);
      canvas.measure();
      canvas.redraw();
      again.querySelector(`.pager button:${by < 0 ? "first" : "last"}-child`).focus({ preventScroll: true });
    };
    if (matrices > 1 && known.whole) {
      const lead = shape.slice(0, -2), turn = (by) => () => {
        const next = (slice + by + matrices) % matrices;
        slices.set(key, { slice: next, now });
        if (choose && (chosen !== null)) choose((chosen % matrix) + next * matrix);
        else turnTo(by);
      };
      pager = el("span", { class: "pager" },
        el("button", { type: "button", class: "plain", "aria-label": page.t("slice_before"), click: turn(-1) }, "‹"),
        el("span", {}, "[" + page.unravel(slice, lead).join(", ") + ", …]"),
        el("button", { type: "button", class: "plain", "aria-label": page.t("slice_next"), click: turn(1) }, "›"));
    }
    // The same for who cannot see it: a table of the matrix that is shown, when it is small.
    const table = R.length * C.length <= 144
      ? el(
          "div", { class: "unseen" },
          el(
            "table", {}, el("caption", {}, title + (shape.length > 2 ? " [" + page.unravel(slice, shape.slice(0, -2)).join(", ") + ", …]" : "")),
            el("thead", {}, el("tr", {}, el("td", {}), C.map((c) => el("th", { scope: "col" }, String(c))))),
            el(
              "tbody", {},
              R.map(
                (row, r) =>
                  el("tr", {}, el("th", { scope: "row" }, String(row)), C.map((_, c) => el("td", {}, page.number(known.at(flatAt(r, c)), 4))))))))
      : null;
    const hiddenLit = lit.filter((flat) => known.at(flat) === undefined || Math.floor(flat / matrix) !== slice).length;
    figure = el("figure", { class: "tensor" + (known.size === 1 ? " single" : "") }, caption, el("div", { class: "heat" }, canvas, table),
      el("div", { class: "under" }, says, pager, hiddenLit && lit.length > 1 ? el("span", { class: "note" }, page.t("lit_hidden", { n: hiddenLit })) : null));
    return figure;
  };
  // The first pictures are painted at once, those further down when they come near to where one looks.
  const atOnce = 4;
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting && target.stale) target.redraw();
  }, { rootMargin: "300px" });
  /// All pictures, again; without `resized` the panel is as wide as it was, and the browser need not lay it out to say so.
  page.redrawHeat = (root, resized = page.room === undefined) => {
    if (resized) {
      const style = getComputedStyle(root);
      page.room = root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    }
    near.disconnect();
    root.querySelectorAll("canvas").forEach((canvas, k) => {
      canvas.measure();
      if (k < atOnce) canvas.redraw();
      else near.observe(canvas);
    });
  };
})();
