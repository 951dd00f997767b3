// The user's line, with the lines around it where they were known when the page was written.
(() => {
  const { el } = page;
  page.drawCode = (file, line, around = 3) => {
    if (!file) return null;
    const lines = (page.data.sources || {})[file]?.lines || {};
    const numbers = Object.keys(lines).map(Number).filter((n) => Math.abs(n - line) <= around).sort((a, b) => a - b);
    const indent = Math.min(...numbers.filter((n) => lines[n].trim()).map((n) => lines[n].match(/^\s*/)[0].length), 40);
    return el(
      "figure", { class: "code" }, el("figcaption", { title: file + ":" + line }, file.split("/").slice(-2).join("/") + ":" + line),
      numbers.length
        ? el(
            "pre", { role: "group", "aria-label": page.t("code_label", { file, line }) },
            el(
              "code", {},
              numbers.map(
                (n) => el(
                  n === line ? "mark" : "span", { class: "line" },
                  el("span", { class: "line-number" }, String(n).padStart(5) + (n === line ? " ▸ " : "   ")), lines[n].slice(Math.min(indent, 40))))))
        : null);
  };
})();
