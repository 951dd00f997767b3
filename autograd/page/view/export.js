// The bar; the present view as an SVG file; and what is printed: a picture of everything that is open, a table of all steps.
(() => {
  const { el, svg, timeline } = page;
  const bar = document.getElementById("bar"), sheet = document.getElementById("sheet");
  const heading = el("h1"), tools = el("div", { class: "tools" });
  const file = (page.data.title || "gradus").replace(/[^\p{L}\p{N}._-]+/gu, "-");

  // ---- the picture, with its rules and the colours that are on the screen now
  const tokens = [
    "--ground", "--raised", "--line", "--text", "--muted", "--forward", "--backward", "--update", "--warn", "--bad", "--backward-soft", "--module",
    "--module-line", "--accent", "--accent-soft", "--sans"
  ];
  page.pictureText = () => {
    const picture = page.view.picture(false);
    const style = getComputedStyle(document.documentElement);
    let rules = "";
    for (const sheetOf of document.styleSheets)
      for (const rule of sheetOf.cssRules) if (/^\.(item|edge|far)\b/.test(rule.selectorText || "")) rules += rule.cssText + "\n";
    rules = rules.replace(/var\((--[\w-]+)\)/g, (whole, name) => (tokens.includes(name) ? style.getPropertyValue(name).trim() : whole));
    // Of a colour that is another one's name.
    rules = rules.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    const [x, y, w, h] = picture.getAttribute("viewBox").split(" ");
    picture.prepend(svg("style", {}, rules), svg("rect", { x, y, width: w, height: h, fill: style.getPropertyValue("--ground").trim() }));
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(picture);
  };
  page.download = () => {
    const url = URL.createObjectURL(new Blob([page.pictureText()], { type: "image/svg+xml" }));
    const link = el("a", { href: url, download: `${file}-${page.state.step + 1}.svg` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };

  // ---- print
  page.makeSheet = () => {
    const cell = (text, kind) => el("td", { class: kind }, text);
    const head = ["col_step", "col_pass", "col_operation", "col_module", "col_shape", "col_norm", "col_line", "col_live"];
    const most = 3000;
    const rows = timeline.slice(0, most).map((_, i) => {
      const at = page.at(i), o = page.operations[at.operation] || {};
      const norm = at.kind === "backward" ? page.gradientNorm(at.step.id, "of_outputs", 0) : null;
      const live = page.liveAfter ? page.liveAfter(i) : null;
      return el(
        "tr", {}, cell(String(i + 1), "n"), cell(page.t(at.kind)), cell(page.shortTitle(at.operation)), cell(page.pathOf(at.operation)),
        cell(page.shape(page.result(at.operation))), cell(norm === null ? "" : page.short(norm), "n"),
        cell(o.line ? String(o.file || "").split("/").pop() + ":" + o.line : ""), cell(live === null ? "" : page.bytes(live), "n"));
    });
    page.fill(
      sheet, el("h1", {}, heading.textContent), el("figure", {}, page.view.picture(true), el("figcaption", {}, page.say(page.state.step))),
      el("h2", {}, page.t("all_steps")),
      el(
        "table", {},
        el("thead", {}, el("tr", {}, head.map((key) => el("th", { scope: "col", class: /step|norm|live/.test(key) ? "n" : null }, page.t(key))))),
        el("tbody", {}, rows)),
      timeline.length > most && el("p", {}, page.t("more_bars", { n: timeline.length - most })));
  };
  addEventListener("beforeprint", page.makeSheet);
  addEventListener("afterprint", () => sheet.replaceChildren());

  // ---- the bar
  const dark = () => (page.state.theme ? page.state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  page.switchTheme = () => page.go({ theme: dark() ? "light" : "dark" }, { replace: true });
  page.switchLang = () => page.go({ lang: page.state.lang === "en" ? "ru" : "en" }, { replace: true });
  page.switchOutline = () => page.go({ outline: page.state.outline === "1" ? null : "1" }, { replace: true });
  const skip = el("button", { type: "button", class: "skip", click: () => document.getElementById("panel").focus() });
  bar.append(skip, heading, el("span", { class: "gap" }), page.noticeBox, page.searchBox, tools);
  const draw = (state, changed) => {
    if (changed.has("theme")) {
      if (state.theme) document.documentElement.dataset.theme = state.theme;
      else delete document.documentElement.dataset.theme;
    }
    if (!changed.has("lang") && !changed.has("theme") && !changed.has("outline")) return;
    document.documentElement.lang = state.lang;
    heading.textContent = page.data.title || page.t("page");
    document.title = heading.textContent;
    skip.textContent = page.t("skip");
    document.getElementById("panel").setAttribute("aria-label", page.t("panel"));
    document.getElementById("time").setAttribute("aria-label", page.t("timeline"));
    const button = (words, key, keys, fn, more) => el(
      "button", { type: "button", class: "plain", title: page.t(key) + (keys ? " (" + keys + ")" : ""), click: fn, "data-tool": key, ...more },
      words);
    const had = tools.contains(document.activeElement) && document.activeElement.dataset.tool;
    page.fill(tools, button(page.t("outline"), "outline_show", "L", page.switchOutline, { "aria-pressed": String(state.outline === "1") }),
      button(page.t("lang_other"), "lang", "G", page.switchLang, { lang: state.lang === "en" ? "ru" : "en" }),
      button(page.t(dark() ? "light" : "dark"), "theme", "T", page.switchTheme),
      button("SVG", "download", "", page.download), button(page.t("print"), "print", "", () => window.print()),
      button("?", "help", "?", () => page.help(), { "aria-label": page.t("help") }));
    if (had) tools.querySelector(`[data-tool="${had}"]`)?.focus();
  };
  page.on(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(page.state, new Set(["theme"])));
})();
