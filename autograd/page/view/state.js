"use strict";
// The page's one state, its address, and who listens. Everything on the page is a function of the data and this state.
const page = {};
(() => {
  page.data = JSON.parse(document.getElementById("data").textContent);
  page.record = page.data.record || {};

  // step: index into page.timeline (the address and the reader count from 1). node: an operation that is looked at in place
  // of the step's own, or null. element, tensor, panel: what the panel shows of it.
  // outline: "1" where it is shown. opened, folded: paths of modules that
  // the reader opened or folded, beyond what the page does of itself; open: those that are open now. first: what a step has
  // opened for itself.
  page.state = {
    step: 0, node: null, element: null, tensor: null, panel: null, outline: null, opened: new Set(), folded: new Set(), open: new Set(),
    lang: page.data.language === "ru" ? "ru" : "en", theme: null,
  };
  const first = { ...page.state };

  // ---- elements. An attribute that is a function listens; null and false are left out; text is never read as HTML.
  const spaces = { html: "http://www.w3.org/1999/xhtml", svg: "http://www.w3.org/2000/svg", math: "http://www.w3.org/1998/Math/MathML" };
  const build = (space) => (tag, attrs, ...children) => {
    const node = document.createElementNS(spaces[space], tag);
    for (const [name, value] of Object.entries(attrs || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (typeof value === "function") node.addEventListener(name.replace(/^on/, ""), value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat(Infinity))
      if (child !== null && child !== undefined && child !== false) node.append(child);
    return node;
  };
  page.el = build("html");
  page.svg = build("svg");
  page.math = build("math");
  /// Of a map of lists.
  page.push = (map, key, x) => {
    const list = map.get(key);
    if (list) list.push(x);
    else map.set(key, [x]);
  };
  /// Puts these in place of what was there.
  page.fill = (node, ...children) => {
    node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
    return node;
  };

  // ---- the address: #step=57&node=12&open=seq.2; what is as at first is left out
  const names = ["node", "tensor", "element", "panel", "outline", "lang", "theme"];
  const list = (set) => [...set].map(encodeURIComponent).join(",");
  page.address = (state = page.state) => {
    const parts = ["step=" + (state.step + 1)];
    for (const name of names)
      if (state[name] !== first[name] && state[name] !== null) parts.push(name + "=" + encodeURIComponent(state[name]));
    if (state.opened.size) parts.push("open=" + list(state.opened));
    if (state.folded.size) parts.push("fold=" + list(state.folded));
    return "#" + parts.join("&");
  };
  const decode = (text) => {
    try { return decodeURIComponent(text); } catch { return text; }
  };
  const read = (hash) => {
    const found = {};
    for (const part of hash.replace(/^#/, "").split("&")) {
      const at = part.indexOf("=");
      if (at > 0) found[part.slice(0, at)] = part.slice(at + 1);
    }
    const set = (text) => new Set((text || "").split(",").filter(Boolean).map(decode));
    const change = { step: 0 };
    if (/^\d+$/.test(found.step)) change.step = Number(found.step) - 1;
    for (const name of names) change[name] = name in found ? decode(found[name]) : first[name];
    change.node = /^\d+$/.test(change.node) && Number(change.node) < (page.record.operations || []).length ? Number(change.node) : null;
    if (change.lang !== "ru" && change.lang !== "en") change.lang = first.lang;
    if (change.theme !== "dark" && change.theme !== "light") change.theme = null;
    change.opened = set(found.open);
    change.folded = set(found.fold);
    return change;
  };

  // ---- listeners
  const listeners = [];
  page.on = (fn) => listeners.push(fn);
  const same = (a, b) => a instanceof Set && b instanceof Set ? a.size === b.size && [...a].every((x) => b.has(x)) : a === b;
  const apply = (change) => {
    const state = page.state, changed = new Set();
    if ("step" in change) change.step = Math.max(0, Math.min(page.timeline.length - 1, Math.round(change.step) || 0));
    for (const name of Object.keys(change))
      if (!same(state[name], change[name])) {
        state[name] = change[name];
        changed.add(name);
      }
    return changed;
  };
  const tell = (changed) => {
    for (const fn of listeners) {
      // What fails in one part must not take the others with it.
      try { fn(page.state, changed); } catch (error) { console.error(error); }
    }
  };

  /// Changes the state and tells all listeners. A new step or node looks at its own tensors: unless the change says
  /// otherwise node, tensor and element go back to none. `replace`: no new entry for the browser's back button.
  page.go = (change, { replace = false } = {}) => {
    change = { ...change };
    if ("step" in change && change.step !== page.state.step) change = { node: null, tensor: null, element: null, ...change };
    else if ("node" in change && change.node !== page.state.node) change = { tensor: null, element: null, ...change };
    const changed = apply(change);
    if (!changed.size) return;
    if (page.settle) page.settle(changed);
    write(replace);
    tell(changed);
  };
  // The address is written when the step is on the screen: that takes a browser longer than many a step. It takes only so many
  // changes a second, too: what replaces waits, and the last one counts.
  let waiting = 0, unwritten = [];
  const forget = () => {
    clearTimeout(waiting);
    waiting = 0;
    return unwritten.splice(0);
  };
  const put = (how, address) => {
    if (address === location.hash) return;
    try { history[how](null, "", address); } catch (error) { console.warn(error); }
  };
  const flush = () => { for (const [how, address] of forget()) put(how, address); };
  const write = (replace) => {
    const last = unwritten.at(-1), address = page.address();
    if (replace && last) last[1] = address;
    else unwritten.push([replace ? "replaceState" : "pushState", address]);
    if (waiting && replace) return;
    clearTimeout(waiting);
    waiting = setTimeout(flush, replace ? 150 : 0);
  };
  // An address beyond the end names the step that is shown.
  const correct = () => {
    const asked = /(?:^#|&)step=(\d+)/.exec(location.hash);
    if (asked && Number(asked[1]) !== page.state.step + 1 && page.timeline.length) put("replaceState", page.address());
  };
  const arrive = () => {
    forget();  // what was to be written is no longer where one is
    const changed = apply(read(location.hash));
    correct();
    if (!changed.size) return;
    if (page.settle) page.settle(changed);
    tell(changed);
  };

  /// Called once, when all scripts have been read: the state is the address's, and everything is drawn.
  page.start = () => {
    apply(read(location.hash));
    const all = new Set(Object.keys(page.state));
    if (page.settle) page.settle(all);
    tell(all);
    correct();
    addEventListener("popstate", arrive);
    addEventListener("hashchange", arrive);
  };

  /// An element that handles arrow keys itself calls preventDefault(), or stands inside [data-own-keys].
  page.keeps = (event) => event.defaultPrevented || !!(event.target.closest && event.target.closest("[data-own-keys]"));
})();
