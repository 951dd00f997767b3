// Time: the buttons, the words that say where one is, the slider over forward, backward and update, and playing.
(() => {
  const root = document.getElementById("timeline");
  const { el, svg, timeline } = page;
  const count = Math.max(1, timeline.length);

  // ---- runs of one kind, one pass
  const runs = [];
  timeline.forEach((entry, index) => {
    const pass = entry.kind === "backward" ? page.steps[entry.of].pass : null, last = runs[runs.length - 1];
    if (last && last.kind === entry.kind && last.pass === pass) last.to = index + 1;
    else runs.push({ kind: entry.kind, pass, from: index, to: index + 1 });
  });
  page.runs = runs;
  const percent = (index) => (100 * index) / count + "%";

  // ---- going
  /// By modules: to the next (by = 1) or the last (by = -1) step at which another module begins.
  page.byModule = (by) => {
    const name = (i) => { const at = page.at(i); return at.kind + ":" + (at.operation === null ? "" : page.whereIs(at.operation).id); };
    let i = page.state.step;
    if (by > 0) {
      const here = name(i);
      while (i < count - 1 && name(i) === here) i++;
    } else {
      i--;
      if (i < 0) return 0;
      const there = name(i);
      while (i > 0 && name(i - 1) === there) i--;
    }
    return i;
  };
  /// A link to an index of the timeline.
  page.linkTo = (index, text) => el(
    "a", {
      href: "#step=" + (index + 1),
      click: (event) => {
        event.preventDefault();
        event.stopPropagation();
        page.go({ step: index });
      }
    },
    text);
  page.nextBackward = () => page.backwardStarts.find((i) => i > page.state.step) ?? page.backwardStarts[0] ?? page.state.step;
  let timer = 0;
  page.playing = false;
  page.play = (on = !page.playing) => {
    clearInterval(timer);
    page.playing = on && timeline.length > 1;
    if (page.playing) {
      if (page.state.step >= timeline.length - 1) page.go({ step: 0 });
      timer = setInterval(() => {
        if (page.state.step >= timeline.length - 1) return page.play(false);
        page.go({ step: page.state.step + 1 }, { replace: true });
      }, 700);
    }
    buttons();
  };

  // ---- what is drawn
  const controls = el("div", { class: "controls" });
  const now = el("div", { class: "now" });
  const track = el("div", { class: "track", role: "slider", tabindex: 0, "aria-valuemin": 1, "aria-valuemax": count, "data-few": count < 200 });
  root.append(controls, track);
  const past = el("div"), thumb = el("div", { class: "thumb" });
  const pasts = runs.map((run) => el("div", { class: "past", style: `--c: var(--${run.kind}); left: ${percent(run.from)}; width: 0` }));
  const widths = runs.map(() => 0);
  past.append(...pasts);
  const icons = {
    start: "M2 2h2v12H2zM14 2v12L5 8z",
    back: "M12 2v12L3 8z",
    play: "M4 2l10 6-10 6z",
    pause: "M3 2h4v12H3zM9 2h4v12H9z",
    on: "M4 2v12l9-6z",
    end: "M12 2h2v12h-2zM2 2l9 6-9 6z",
  };
  const icon = (name) => svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: icons[name] }));
  const buttons = () => {
    const button = (name, key, keys, fn, kind = "") => el(
      "button", { type: "button", class: "plain " + kind, "aria-label": page.t(key), title: page.t(key) + " (" + keys + ")", click: fn }, icon(name));
    const had = controls.contains(document.activeElement) ? [...controls.querySelectorAll("button")].indexOf(document.activeElement) : -1;
    page.fill(
      controls, button("start", "to_start", "Home", () => page.go({ step: 0 }), "wide"),
      button("back", "back", "←", () => page.go({ step: page.state.step - 1 })),
      button(page.playing ? "pause" : "play", page.playing ? "pause" : "play", page.t("space"), () => page.play(), "main"),
      button("on", "on", "→", () => page.go({ step: page.state.step + 1 })),
      button("end", "to_end", "End", () => page.go({ step: count - 1 }), "wide"),
      page.backwardStarts.length > 0 &&
        el(
          "button", {
            type: "button",
            class: "plain toback",
            title: page.t("to_backward") + " (B)",
            "aria-label": page.t("to_backward"),
            click: () => page.go({ step: page.nextBackward() })
          },
          "∂", el("span", { class: "wide" }, " " + page.t("backward"))),
      now);
    if (had >= 0) controls.querySelectorAll("button")[had]?.focus();
  };
  const kindWord = (kind) => page.t(kind[0].toUpperCase() + kind.slice(1));
  page.passWord = (run) => kindWord(run.kind) +
    (run.kind === "backward" && new Set(runs.filter((r) => r.kind === "backward").map((r) => r.pass)).size > 1 ? " " + (run.pass + 1) : "");
  const build = () => {
    page.fill(track, runs.map((run) => {
      const wide = (100 * (run.to - run.from)) / count, style = `--c: var(--${run.kind}); left: ${percent(run.from)}; `;
      return [
        el("div", { class: "run", style: style + `width: max(3px, calc(${wide}% - 2px))` }),
        (wide / 100) * (track.clientWidth || 1000) > 64 && el("div", { class: "name", style: style + `max-width: ${wide}%` }, page.passWord(run)),
      ];
    }), past, thumb);
    track.setAttribute("aria-label", page.t("step"));
  };
  const draw = (state, changed) => {
    if (changed.has("lang")) { buttons(); build(); }
    if (!changed.has("step") && !changed.has("lang")) return;
    const at = page.at(), index = state.step;
    document.documentElement.dataset.kind = at.kind;
    const path = page.pathOf(at.operation);
    const words = timeline.length ? page.t("step_of", { n: page.count(index + 1), all: page.count(timeline.length) }) : page.t("no_steps");
    page.fill(now, el("span", { class: "count" }, words), timeline.length > 0 && [
      el("span", { class: "kind" }, kindWord(at.kind)), el("span", { class: "what" }, page.shortTitle(at.operation)),
      el("span", { class: "path" }, path)
    ]);
    track.setAttribute("aria-valuenow", index + 1);
    track.setAttribute("aria-valuetext", words + ", " + kindWord(at.kind) + " " + page.title(at.operation));
    const here = index === count - 1 && count > 1 ? count : index + 0.5;  // at the last step the knob is at the end
    thumb.style.left = percent(here);
    runs.forEach((run, k) => {
      const wide = (100 * Math.max(0, Math.min(run.to, here) - run.from)) / count;
      if (wide !== widths[k]) pasts[k].style.width = (widths[k] = wide) + "%";
    });
  };

  // ---- a hand on the slider, and on the curve under it
  page.slides = (area) => {
    let held = false, began = 0;
    const to = (event, replace) => {
      const r = area.getBoundingClientRect();
      page.go({ step: Math.max(0, Math.min(count - 1, Math.floor(((event.clientX - r.left) / r.width) * count))) }, { replace });
    };
    area.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      held = true;
      began = page.state.step;
      page.play(false);
      area.setPointerCapture(event.pointerId);
      to(event, false);
    });
    area.addEventListener("pointermove", (event) => { if (held) to(event, page.state.step !== began); });
    for (const name of ["pointerup", "pointercancel"]) area.addEventListener(name, () => { held = false; });
  };
  page.slides(track);
  new ResizeObserver(() => { build(); draw(page.state, new Set(["step"])); }).observe(track);
  page.on(draw);

  // ---- each step is said
  const announce = document.getElementById("announce");
  let quiet = true, soon = 0;
  page.say = (index) => {
    const at = page.at(index), value = page.result(at.operation), path = page.pathOf(at.operation);
    const shape = !value ? "" : value.shape.length ? page.t("said_shape", { shape: value.shape.join(" × ") }) : page.t("said_scalar");
    return page.t("said", {
      n: index + 1,
      all: timeline.length,
      kind: page.t(at.kind),
      name: page.shortTitle(at.operation),
      where: path ? page.t("said_in", { path }) : "",
      shape
    });
  };
  page.on((state, changed) => {
    if (changed.has("lang")) announce.textContent = "";  // said in the other language
    if (!changed.has("step")) return;
    if (quiet) { quiet = false; return; }
    clearTimeout(soon);
    soon = setTimeout(() => { announce.textContent = page.say(page.state.step); }, page.playing ? 0 : 60);
  });
})();
