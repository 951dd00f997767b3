// Numbers, sizes and shapes as text; tensors as far as the record knows their numbers.
(() => {
  const special = { nan: "NaN", inf: "∞", "-inf": "−∞" };
  /// A number with so many digits; what was not recorded is a dash.
  page.number = (x, digits = 4) => {
    if (x === null || x === undefined) return "–";
    if (typeof x === "string") return special[x] ?? x;
    if (typeof x === "boolean") return String(x);
    if (Number.isNaN(x)) return "NaN";
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
    const size = Math.abs(x);
    let text;
    if (size !== 0 && (size < 1e-4 || size >= 1e7)) text = x.toExponential(Math.max(0, digits - 1)).replace(/\.?0+e/, "e").replace("e+", "e");
    else if (Number.isInteger(x)) text = String(x);
    else text = String(Number(x.toPrecision(digits)));
    return text.replace(/-/g, "−");
  };
  page.bytes = (n) => {
    if (n === null || n === undefined) return "–";
    const units = page.t("units").split(" ");
    let k = 0;
    for (; n >= 1024 && k < units.length - 1; k++) n /= 1024;
    return (k === 0 ? n : Number(n.toFixed(n < 10 ? 1 : 0))) + " " + units[k];
  };
  /// "float32 6 × 8".
  page.type = (x) => x.dtype + (x.shape.length ? " " + x.shape.join(" × ") : "");

  page.product = (shape) => shape.reduce((n, d) => n * d, 1);
  page.unravel = (flat, shape) => {
    const index = new Array(shape.length);
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = shape[d] ? flat % shape[d] : 0;
      flat = Math.floor(flat / (shape[d] || 1));
    }
    return index;
  };
  page.ravel = (index, shape) => index.reduce((flat, i, d) => flat * shape[d] + i, 0);

  const toNumber = (x) => (x === "nan" ? NaN : x === "inf" ? Infinity : x === "-inf" ? -Infinity : x);
  /// What is known of a tensor's numbers: `at(flat)` is undefined where they were not recorded. `last` are the rows and
  /// columns of its last two dimensions that are shown, at `lead` those of them that are known.
  page.numbers = (entry) => {
    const { shape } = entry, numbers = entry.numbers || {};
    const rank = shape.length, rows = rank > 1 ? shape[rank - 2] : 1, columns = rank > 0 ? shape[rank - 1] : 1;
    const known = { entry, shape, rows, columns, size: page.product(shape), statistics: null, whole: false, none: !entry.numbers };
    if (numbers.all) {
      known.whole = true;
      const all = numbers.all.map((x) => (typeof x === "boolean" ? Number(x) : toNumber(x)));
      known.at = (flat) => all[flat];
      known.finite = all.filter(Number.isFinite);
    } else if (numbers.corner) {
      const [h, w] = [numbers.corner_shape.length > 1 ? numbers.corner_shape.at(-2) : 1, numbers.corner_shape.at(-1) ?? 1];
      const places = numbers.corner_places || [[...Array(h).keys()], [...Array(w).keys()]];
      const at = places.length > 1 ? places : [[0], places[0]];
      const rowPlace = new Map((rank > 1 ? at[0] : [0]).map((r, k) => [r, k])), columnPlace = new Map(at[1].map((c, k) => [c, k]));
      known.at = (flat) => {
        if (flat >= rows * columns) return undefined;  // the corner is the first matrix's
        const r = rowPlace.get(Math.floor(flat / columns)), c = columnPlace.get(flat % columns);
        return r === undefined || c === undefined ? undefined : toNumber(numbers.corner[r * w + c]);
      };
      known.places = [[...rowPlace.keys()], [...columnPlace.keys()]];
      known.statistics = numbers;
      known.finite = numbers.corner.map(toNumber).filter(Number.isFinite);
    } else {
      known.at = () => undefined;
      known.finite = [];
    }
    return known;
  };
  /// The greatest absolute value that is known: what colours are measured by.
  page.extent = (known) => {
    const s = known.statistics;
    const most = s ? Math.max(Math.abs(toNumber(s.min)) || 0, Math.abs(toNumber(s.max)) || 0) : known.finite.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    return Number.isFinite(most) && most > 0 ? most : 1;
  };
  page.range = (known) => {
    const s = known.statistics;
    if (s) return [s.min, s.max];
    if (!known.finite.length) return [null, null];
    return [known.finite.reduce((a, b) => Math.min(a, b)), known.finite.reduce((a, b) => Math.max(a, b))];
  };

  // A gradient that goes on as it is stands where it arrives: at a leaf, or at the step that takes it.
  page.gradient = (step, k) => {
    const gradient = step.of_inputs[k];
    if (!gradient || gradient.numbers) return gradient;
    const pass = (page.record.passes || [])[step.pass];
    const arrived = pass && (pass.arrived || []).find((a) => a.operation === gradient.to && a.index === gradient.to_output);
    if (arrived) return { ...gradient, numbers: arrived.numbers };
    const taken = page.steps.find((s) => s.pass === step.pass && s.operation === gradient.to);
    const came = taken && taken.of_outputs.find((g) => g.index === gradient.to_output);
    return came ? { ...gradient, numbers: came.numbers } : gradient;
  };
})();
