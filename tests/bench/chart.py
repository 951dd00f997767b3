"""The chart of ratios: SVG that follows the reader's light or dark mode."""
import html

import report

row_height, label_width, bar_width, column_width, margin, top = 15, 284, 160, 500, 20, 104
longest = 1.2  # bars end here; their numbers tell

style = """
  text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
         font-variant-numeric: tabular-nums; fill: #7d8590 }
  .title { font-size: 17px; font-weight: 600 } .family { font-size: 12px; font-weight: 600 }
  .page { fill: none; stroke: none } .grid { stroke: #7d8590; stroke-opacity: .22 }
  .peer { stroke: #7d8590 } .target { stroke: #7d8590; stroke-width: 2 }
  .met { fill: #3f87e5 } .missed { fill: #d9772b } .slower { fill: #e5534b }
  @media (prefers-color-scheme: light) {
    .page { fill: #ffffff; stroke: #d8dee4 } text { fill: #59636e } .title, .family { fill: #1f2328 }
    .grid { stroke: #d8dee4; stroke-opacity: .75 } .peer, .target { stroke: #1f2328 }
    .met { fill: #0b66d4 } .missed { fill: #c4570c } .slower { fill: #c9242d }
  }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d } text { fill: #9198a1 } .title, .family { fill: #f0f6fc }
    .grid { stroke: #30363d; stroke-opacity: .75 } .peer, .target { stroke: #f0f6fc }
    .met { fill: #58a6ff } .missed { fill: #f0883e } .slower { fill: #ff7b72 }
  }
"""

kinds = {"": "met", "above target": "missed", "SLOWER": "slower", "slower?": "slower"}


def columns(document):
    """Families in two columns of nearly the same height: the longest first, each into the shorter column."""
    families = [(name, [each for each in document["cases"] if each["family"] == name]) for name in document["families"]]
    sides = [[], []]
    for family in sorted(families, key=lambda family: -len(family[1])):
        min(sides, key=lambda side: sum(len(rows) + 2 for _, rows in side)).append(family)
    return [sorted(side, key=families.index) for side in sides]


def length(ratio):
    return bar_width * min(ratio, longest) / longest


def family_lines(name, rows, x, y):
    """The family's heading and bars, its first line at y."""
    yield f'<text class="family" x="{x}" y="{y + 11}">{html.escape(name)}</text>'
    bars, start, end = x + label_width, y + row_height + 2, y + row_height * (len(rows) + 1) + 2
    for ratio in (0.25, 0.5, 0.75, 1):
        kind = "peer" if ratio == 1 else "grid"
        yield f'<path class="{kind}" d="M{bars + length(ratio):.1f} {start}V{end}"/>'
    for place, each in enumerate(rows):
        at = start + place * row_height
        kind = kinds[report.mark(each)]
        target = bars + length(each["target"])
        yield (f'<text x="{bars - 6}" y="{at + 11}" text-anchor="end">{html.escape(each["name"])}</text>'
               f'<rect class="{kind}" x="{bars}" y="{at + 3}" width="{max(length(each["ratio"]), 1):.1f}" height="9" '
               'rx="1"/>'
               f'<path class="target" d="M{target:.1f} {at + 1}v13"/>'
               f'<text x="{bars + bar_width + 6}" y="{at + 11}">{each["ratio"]:.2f}</text>')


def draw(document):
    sides = columns(document)
    height = top + max(sum(row_height * (len(rows) + 2) for _, rows in side) for side in sides) + 4
    width = 2 * margin + 2 * column_width
    count = len(document["cases"])
    title = f"Time beside the fastest peer: {document['geometric_mean']:.2f} in geometric mean of {count} cases"
    peers = " and ".join(version for engine, version in document["engines"].items() if engine != "Gradus")
    about = f"{document['engines']['Gradus']} against {peers}, the best of their set-ups; {document['machine']}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
           'role="img" aria-labelledby="title description">',
           f'<title id="title">{html.escape(title)}</title>', f'<desc id="description">{html.escape(about)}</desc>',
           f"<style>{style}</style>",
           f'<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
           f'<text class="title" x="{margin}" y="34">{html.escape(title)}</text>',
           f'<text x="{margin}" y="55">{html.escape(about)}</text>']
    x = margin
    for kind, text, space in (("met", "target reached", 124), ("missed", "faster than the peer, target missed", 240),
                              ("slower", "slower than the peer", 164)):
        out.append(f'<rect class="{kind}" x="{x}" y="69" width="14" height="9" rx="1"/>'
                   f'<text x="{x + 20}" y="77">{text}</text>')
        x += space
    out.append(f'<path class="target" d="M{x + 7} 67v13"/><text x="{x + 20}" y="77">target</text>')
    out.append(f'<path class="peer" d="M{x + 84} 67v13"/><text x="{x + 94}" y="77">1: as fast as the peer</text>')
    for place, side in enumerate(sides):
        y = top
        for name, rows in side:
            out += family_lines(name, rows, margin + place * column_width, y)
            y += row_height * (len(rows) + 2)
    return "\n".join(out + ["</svg>\n"])
