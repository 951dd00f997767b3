// All keys, in one place, and the list of them.
(() => {
  const { el } = page;
  const step = (by) => (event) => page.go({ step: page.state.step + by }, { replace: event.repeat });
  // Along the graph, from the node that is looked at: to its first input that is an operation or a leaf, to its first use.
  const walk = (up) => () => {
    const here = page.looked();
    if (here === null) return;
    const edges = page.layout.edges.filter((e) => (up ? e.to === here && e.from !== null : e.from === here)).sort((a, b) => a.input - b.input || a.to - b.to);
    if (edges.length) page.go({ node: up ? edges[0].from : edges[0].to });
  };
  const around = (opens) => () => {
    const above = page.above(page.whereIs(page.looked()));
    const open = above.filter((key) => page.state.open.has(key));
    if (opens) {
      const key = above.find((k) => !page.state.open.has(k));
      if (key !== undefined) page.unfold(key);
    } else if (open.length)
      page.unfold(open[open.length - 1], false);
  };
  const keys = {
    ArrowLeft: step(-1), ArrowRight: step(1), PageUp: step(-1), PageDown: step(1),
    "Shift+ArrowLeft": () => page.go({ step: page.byModule(-1) }), "Shift+ArrowRight": () => page.go({ step: page.byModule(1) }),
    Home: () => page.go({ step: 0 }), End: () => page.go({ step: page.timeline.length - 1 }),
    " ": () => page.play(), b: () => page.go({ step: page.nextBackward() }), n: page.nextNotice,
    ArrowUp: walk(true), ArrowDown: walk(false),
    Enter: () => { if (page.state.node !== null) page.visit(page.state.node); },
    c: around(false), o: around(true), "Shift+C": page.foldAll, "Shift+O": page.openAll,
    "+": () => page.view.zoom(1.3), "=": () => page.view.zoom(1.3), "-": () => page.view.zoom(1 / 1.3), 0: () => page.view.fit(), f: () => page.view.fit(),
    "/": () => page.search(), l: () => page.switchOutline(), g: () => page.switchLang(), t: () => page.switchTheme(),
    Escape: () => { page.play(false); if (page.state.node !== null) page.go({ node: null }); else page.view.toPresent(); },
    "?": () => page.help(),
  };
  // A Russian keyboard has the letters elsewhere: a letter is also known by its place.
  const nameOf = (event) => {
    if (event.key in keys && !(event.shiftKey && event.key.startsWith("Arrow"))) return event.key;
    const letter = /^Key([A-Z])$/.exec(event.code || ""), shift = event.shiftKey ? "Shift+" : "";
    if (event.key.startsWith("Arrow")) return shift + event.key;
    if (letter) return "Shift+" + letter[1] in keys && event.shiftKey ? "Shift+" + letter[1] : letter[1].toLowerCase();
    return event.code === "Slash" ? (event.shiftKey ? "?" : "/") : event.key;
  };
  document.addEventListener("keydown", (event) => {
    if (page.keeps(event) || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    const target = event.target;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable) return;
    if ((event.key === " " || event.key === "Enter") && target.closest && target.closest("button, a, summary, [role=button], [role=tab]")) return;
    const does = keys[nameOf(event)];
    if (!does) return;
    event.preventDefault();
    if (page.playing && /Arrow|Home|End|Page/.test(event.key)) page.play(false);
    does(event);
  });

  // ---- help
  const dialog = el("dialog", { "aria-labelledby": "help-title" });
  document.body.append(dialog);
  page.help = () => {
    if (dialog.open) return dialog.close();
    const row = (names, key) => [el("dt", {}, names.map((n, k) => [k ? " " : "", el("kbd", {}, n)])), el("dd", {}, page.t(key))];
    page.fill(
      dialog, el("h2", { id: "help-title" }, page.t("help")),
      el("button", { type: "button", class: "plain close", "aria-label": page.t("close"), click: () => dialog.close() }, "✕"),
      el(
        "dl", {}, row(["←", "→"], "key_step"), row(["Shift ←", "Shift →"], "key_module"), row(["Home", "End"], "key_ends"),
        row([page.t("space")], "key_play"), row(["B"], "key_backward"), row(["N"], "key_notice"), row(["↑", "↓"], "key_walk"), row(["Enter"], "key_visit"),
        row(["Esc"], "key_present"), row(["C", "O"], "key_fold"), row(["Shift C", "Shift O"], "key_fold_all"), row(["+", "−", "0"], "key_zoom"),
        row(["/"], "key_search"), row(["L"], "key_outline"), row(["G", "T"], "key_look"), row(["?"], "key_help")),
      el("p", {}, page.t("graph_hint") + ". " + page.t("key_clicker")));
    dialog.showModal();
  };
  dialog.addEventListener("keydown", (event) => { if (event.key === "?") { event.preventDefault(); dialog.close(); } });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
})();
