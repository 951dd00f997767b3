// Find a node: by the name of an operation, a module or a tensor.
(() => {
  const { el } = page;
  const input = el("input", {
    type: "search",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": "found",
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false"
  });
  const list = el("ul", { id: "found", role: "listbox", hidden: true });
  page.searchBox = el("div", { class: "find" }, input, list);
  let hits = [], at = 0;

  const words = page.operations.map((o) => (page.title(o.id) + " " + o.name + " " + (o.module || "")).toLowerCase());
  const look = () => {
    const parts = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    hits = [];
    if (parts.length) for (let i = 0; i < words.length && hits.length < 40; i++) if (parts.every((p) => words[i].includes(p))) hits.push(i);
    at = 0;
    draw();
  };
  const draw = () => {
    const open = input.value.trim() !== "";
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    page.fill(list, hits.map((id, k) => el("li", { role: "option", id: "found-" + k, "aria-selected": String(k === at), click: () => choose(k) },
      el("span", {}, page.shortTitle(id)), el("small", {}, [page.pathOf(id), page.shape(page.result(id))].filter(Boolean).join("  ")))),
      open && !hits.length && el("li", { role: "option", "aria-selected": "false", "aria-disabled": "true" }, page.t("none_found")));
    if (hits.length) input.setAttribute("aria-activedescendant", "found-" + at);
    else input.removeAttribute("aria-activedescendant");
  };
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); };
  const choose = (k) => {
    if (hits[k] === undefined) return;
    close();
    page.go({ node: hits[k] });
    document.getElementById("picture").focus();
  };
  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    const move = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (move && hits.length) {
      at = (at + move + hits.length) % hits.length;
      draw();
      list.children[at]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") choose(at);
    else if (event.key === "Escape") { input.value = ""; close(); document.getElementById("picture").focus(); } else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => setTimeout(close, 150));
  input.addEventListener("focus", () => { if (input.value) look(); });
  page.on((state, changed) => {
    if (!changed.has("lang")) return;
    input.placeholder = page.t("search") + "  /";
    input.setAttribute("aria-label", page.t("search"));
    list.setAttribute("aria-label", page.t("search"));
  });
  page.search = () => { input.focus(); input.select(); };
})();
