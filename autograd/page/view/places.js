// Which elements of its operands an element of a result is made of, by the kind of the operation: where the pictures light
// up, and the terms of its sum.
(() => {
  const list = (text) => (String(text ?? "").match(/-?\d+/g) || []).map(Number);
  const attribute = (operation, name, otherwise) => (operation.attributes && name in operation.attributes ? list(operation.attributes[name]) : otherwise);
  /// The entry of the table of formulas for an operation, or null.
  page.formula = (operation) => {
    const table = page.data.formulas || {};
    for (const name of [operation.name, operation.name.replace(/_$/, "")])
      for (const key of [name + "/" + operation.inputs.length, name]) if (Object.hasOwn(table, key)) {
        const entry = table[key];
        // A formula with a number in place of an operand is not this call's.
        return entry.kind === "elementwise" && (entry.inputs || []).length < operation.inputs.length ? { kind: entry.kind } : entry;
      }
    return null;
  };
  page.kind = (operation) => {
    const entry = page.formula(operation);
    return entry && entry.kind ? entry.kind : "other";
  };

  // Index of an operand that is broadcast to the result.
  const broadcast = (index, shape) => shape.map((d, k) => (d === 1 ? 0 : index[index.length - shape.length + k]));
  const all = (n) => [...Array(n).keys()];
  const dimensions = (operation, rank) => {
    const found = attribute(operation, "dim", attribute(operation, "dims", []));
    return new Set((found.length ? found : all(rank)).map((d) => (d < 0 ? d + rank : d)));
  };
  // Indices of a box, each dimension a list.
  const box = (lists) => lists.reduce((found, each) => found.flatMap((index) => each.map((i) => [...index, i])), [[]]);
  const limit = 4096;  // more is not lit one by one

  // A result that is broadcast the other way round: what it has in common with the operand, counted from the right, stays.
  const summed = (index, result, shape) => shape.map((n, d) => {
    const own = d - (shape.length - result.length);
    return own >= 0 && result[own] === n ? [index[own]] : all(n);
  });
  const fits = (shape, result) => shape.length <= result.length && shape.every((n, d) => n === 1 || n === result[result.length - shape.length + d]);
  const reduced = (operation, index, shape, result) => {
    if (index.length && !("dim" in operation.attributes) && !("dims" in operation.attributes)) return summed(index, result, shape);
    const dims = dimensions(operation, shape.length), keep = index.length === shape.length;
    let k = 0;
    return shape.map((n, d) => (dims.has(d) ? (keep && k++, all(n)) : [index[k++]]));
  };
  const along = (operation, index, shape) => {
    const dims = attribute(operation, "dim", [shape.length - 1]);
    return shape.map((n, d) => (dims.some((each) => (each < 0 ? each + shape.length : each) === d) ? all(n) : [index[d]]));
  };

  // A product of two operands: their numbers in the list of inputs, and for an element of the result pairs of indices.
  const products = {
    // z = x Wᵀ + b
    linear: (operation, index, shapes) => {
      const n = shapes[1].at(-1), o = index.at(-1);
      return { a: 0, b: 1, plus: 2, plusAt: [o], pairs: all(n).map((k) => [[...index.slice(0, -1), k], [o, k]]) };
    },
    matmul: (operation, index, shapes, [i, j] = [0, 1]) => {
      const [a, b] = [shapes[i], shapes[j]], n = a.at(-1);
      const lead = index.slice(0, index.length - (a.length > 1 ? 1 : 0) - (b.length > 1 ? 1 : 0));
      const row = a.length > 1 ? [index[lead.length]] : [], column = b.length > 1 ? [index.at(-1)] : [];
      const before = (shape) => broadcast(lead, shape.slice(0, Math.max(0, shape.length - 2)));
      return { a: i, b: j, pairs: all(n).map((k) => [[...before(a), ...row, k], [...before(b), k, ...column]]) };
    },
    addmm: (operation, index, shapes) => ({ ...products.matmul(operation, index, shapes, [1, 2]), plus: 0, plusAt: broadcast(index, shapes[0]) }),
  };
  for (const name of ["mm", "bmm", "mv", "dot"]) products[name] = products.matmul;
  for (const name of ["addmv", "baddbmm"]) products[name] = products.addmm;

  const window = (operation, index, shapes) => {
    const [x, w] = shapes, spatial = x.length - 2;
    const many = (found, otherwise) => all(spatial).map((d) => found[d] ?? found[0] ?? otherwise);
    const stride = many(attribute(operation, "stride", []), 1), padding = many(attribute(operation, "padding", []), 0);
    const dilation = many(attribute(operation, "dilation", []), 1), groups = attribute(operation, "groups", [1])[0];
    const place = (k) => k.map((each, d) => index[2 + d] * stride[d] - padding[d] + each * dilation[d]);
    const inside = (at) => at.every((i, d) => i >= 0 && i < x[2 + d]);
    if (/^conv(\d?d)?$|^convolution$/.test(operation.name)) {
      const channels = w[1], first = Math.floor(index[1] / (w[0] / groups)) * channels;
      const pairs = box([all(channels), ...w.slice(2).map(all)]).map(([c, ...k]) => [place(k), c, k]).filter(([at]) => inside(at))
        .map(([at, c, k]) => [[index[0], first + c, ...at], [index[1], c, ...k]]);
      return { a: 0, b: 1, plus: shapes.length > 2 && shapes[2] ? 2 : undefined, plusAt: [index[1]], pairs };
    }
    const kernel = attribute(operation, "kernel_size", []);
    if (!kernel.length || !/pool/.test(operation.name) || index.length !== x.length) return null;
    return { a: 0, alone: true, takes: /max/.test(operation.name) ? "max" : "mean",
      pairs: box(many(kernel, 1).map(all)).map(place).filter(inside).map((at) => [[index[0], index[1], ...at]]) };
  };

  /// Of an element of a forward's result: {lit: [indices (flat) of each input], pairs?: terms}. Null where it is not known.
  page.reads = (operation, output, flat) => {
    const values = operation.inputs.map((v) => (v === null ? null : page.values[v])), result = page.values[operation.outputs[output]];
    if (!result) return null;
    const shapes = values.map((v) => v && v.shape), index = page.unravel(flat, result.shape), kind = page.kind(operation);
    const boxed = (lists, shape) => (lists.reduce((n, l) => n * l.length, 1) > limit ? [] : box(lists).map((i) => page.ravel(i, shape)));
    try {
      if (kind === "elementwise" && shapes.some((s) => s && !fits(s, result.shape))) {
        return shapes.filter(Boolean).length === 1 ? { lit: shapes.map((s) => (s ? boxed(summed(index, result.shape, s), s) : [])), sum: true } : null;
      }
      if (kind === "elementwise") return { lit: shapes.map((s) => (s ? [page.ravel(broadcast(index, s), s)] : [])) };
      if (kind === "reduction") return { lit: shapes.map((s, k) => (s && k === 0 ? boxed(reduced(operation, index, s, result.shape), s) : [])), sum: true };
      if (kind === "along") return { lit: shapes.map((s, k) => (s && k === 0 ? boxed(along(operation, index, s), s) : [])) };
      if (kind === "view" && values[0]) {
        const at = page.storageAt(result, index), found = page.elementAt(values[0], at);
        return { lit: shapes.map((s, k) => (k === 0 && found !== null ? [found] : [])) };
      }
      const how = kind === "product" ? products[operation.name.replace(/_$/, "")] : kind === "window" ? window : null;
      const terms = how && how(operation, index, shapes);
      if (!terms || terms.pairs.length > limit) return null;
      const lit = shapes.map(() => []);
      for (const [a, b] of terms.pairs) {
        lit[terms.a].push(page.ravel(a, shapes[terms.a]));
        if (!terms.alone) lit[terms.b].push(page.ravel(b, shapes[terms.b]));
      }
      if (terms.plus !== undefined && shapes[terms.plus]) lit[terms.plus].push(page.ravel(terms.plusAt, shapes[terms.plus]));
      return {
        lit,
        terms: {
          ...terms,
          pairs: terms.pairs.map(([a, b]) => [page.ravel(a, shapes[terms.a]), terms.alone ? null : page.ravel(b, shapes[terms.b])]),
          plusAt: terms.plus !== undefined && shapes[terms.plus] ? page.ravel(terms.plusAt, shapes[terms.plus]) : undefined
        }
      };
    } catch (error) {
      console.warn(error);
      return null;
    }
  };

  /// Of an element of the gradient of input k: the elements of the result whose gradients come to it, where each of them reads
  /// it once: {dy: [flat]}. Found by asking the forward's map the other way round.
  page.feeds = (operation, output, k, flat) => {
    const value = page.values[operation.inputs[k]], result = page.values[operation.outputs[output]];
    if (!value || !result) return null;
    const n = page.product(result.shape);
    if (page.kind(operation) === "elementwise" && (n > limit || n === page.product(value.shape)))
      return n === page.product(value.shape) ? { dy: [flat] } : null;
    if (n * Math.max(1, page.product(value.shape)) > 4e6 || n > limit) return null;
    const one = n ? page.reads(operation, output, 0) : null;
    if (one && one.lit[k] && n * one.lit[k].length > 4e5) return null;
    const dy = [], pairs = [];
    for (let i = 0; i < n; i++) {
      const reads = page.reads(operation, output, i);
      if (!reads) return null;
      if (!reads.lit[k] || !reads.lit[k].includes(flat)) continue;
      dy.push(i);
      const { terms } = reads;
      if (terms && !terms.alone && (terms.a === k || terms.b === k))
        for (const [a, b] of terms.pairs) if ((terms.a === k ? a : b) === flat) pairs.push([i, terms.a === k ? b : a]);
    }
    const terms = pairs.length ? (() => {
      const { terms: t } = page.reads(operation, output, 0);
      return { other: t.a === k ? t.b : t.a, pairs };
    })() : null;
    return { dy, terms };
  };

  // ---- views: elements by their place in the storage
  page.storageAt = (value, index) => value.offset + index.reduce((at, i, d) => at + i * value.strides[d], 0);
  /// The element of a value that lies there, or null.
  page.elementAt = (value, at) => {
    const order = value.shape.map((_, d) => d).filter((d) => value.shape[d] > 1 && value.strides[d] > 0).sort((a, b) => value.strides[b] - value.strides[a]);
    const index = value.shape.map(() => 0);
    let rest = at - value.offset;
    for (const d of order) {
      index[d] = Math.min(value.shape[d] - 1, Math.floor(rest / value.strides[d]));
      rest -= index[d] * value.strides[d];
    }
    return rest === 0 ? page.ravel(index, value.shape) : null;
  };
  /// The first value that shows the storage which this one shows part of, or null.
  page.baseOf = (value) => {
    if (value.storage === null || value.storage === undefined) return null;
    const first = page.values.find((v) => v.storage === value.storage);
    return first && first !== value &&
        (first.offset !== value.offset || String(first.strides) !== String(value.strides) || String(first.shape) !== String(value.shape))
      ? first
      : null;
  };
})();
