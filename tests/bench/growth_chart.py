"""The curves of growth.py: SVG that follows the reader's light or dark mode."""
import html, math

import chart, growth

columns, panel_width, panel_height, gap, margin, top = 3, 318, 196, 16, 20, 96
left, right, above, below = 46, 8, 40, 22  # of a panel, around its curves

style = """
  .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round }
  .one { stroke: #3f87e5 } .more { stroke: #d9772b } .them { stroke: #7d8590; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: light) { .one { stroke: #0b66d4 } .more { stroke: #c4570c } .them { stroke: #59636e } }
  @media (prefers-color-scheme: dark) { .one { stroke: #58a6ff } .more { stroke: #f0883e } .them { stroke: #9198a1 } }
"""


def count(power):
    raised = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(power))
    return "1" if power == 0 else "10" if power == 1 else f"10{raised}"


def duration(power):
    """10^power ns."""
    units = (("s", 9), ("ms", 6), ("us", 3), ("ns", 0))
    unit, base = next((each for each in units if power >= each[1]), units[-1])
    return f"{10 ** (power - base):g} {unit}"


def decades(values, least=1):
    low, high = math.floor(min(map(math.log10, values))), math.ceil(max(map(math.log10, values)))
    return low, max(high, low + least)


def panel(family, lines, x, y):
    curves = [("one" if line == lines[0] else "more" if line != "peer" else "them",
               growth.of_a_unit(family["points"], line)) for line in [*lines, "peer"]]
    curves = [(kind, points) for kind, points in curves if points]
    units, times = zip(*[point for _, points in curves for point in points])
    x0, x1 = decades(units)
    y0, y1 = decades(times)
    width, height = panel_width - left - right, panel_height - above - below

    def across(units):
        return x + left + width * (math.log10(units) - x0) / (x1 - x0)

    def down(t):
        return y + above + height * (y1 - math.log10(t)) / (y1 - y0)

    yield f'<text class="family" x="{x}" y="{y + 12}">{html.escape(family["name"])}</text>'
    yield f'<text x="{x}" y="{y + 27}">time of one {html.escape(family["unit"])}, by their number</text>'
    for power in range(x0, x1 + 1):
        at = across(10.0 ** power)
        yield f'<path class="grid" d="M{at:.1f} {y + above}v{height}"/>'
        if (power - x0) % (2 if x1 - x0 > 5 else 1) == 0:
            yield f'<text x="{at:.1f}" y="{y + panel_height - 6}" text-anchor="middle">{count(power)}</text>'
    for power in range(y0, y1 + 1):
        at = down(10.0 ** power)
        yield f'<path class="grid" d="M{x + left} {at:.1f}h{width}"/>'
        yield f'<text x="{x + left - 5}" y="{at + 4:.1f}" text-anchor="end">{duration(power)}</text>'
    for kind, points in reversed(curves):
        path = "L".join(f"{across(units):.1f} {down(t):.1f}" for units, t in points)
        yield f'<path class="curve {kind}" d="M{path}"/>'


def draw(document):
    lines = growth.lines_of(document)
    families = [family for family in document["growth"] if family["points"]]
    rows = -(-len(families) // columns)
    width = 2 * margin + columns * panel_width + (columns - 1) * gap
    height = top + rows * (panel_height + gap) + 4
    title = "How time grows: what one element, node, sample or weight takes"
    engines = document["engines"]
    peers = " and ".join(version for engine, version in engines.items() if engine != "Gradus")
    about = f"{engines['Gradus']}{' against ' + peers if peers else ''}; {document['machine']}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
           'role="img" aria-labelledby="title description">',
           f'<title id="title">{html.escape(title)}</title>', f'<desc id="description">{html.escape(about)}</desc>',
           f"<style>{chart.style}{style}</style>",
           f'<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
           f'<text class="title" x="{margin}" y="34">{html.escape(title)}</text>',
           f'<text x="{margin}" y="55">{html.escape(about)}</text>']
    legend = [("one", f"Gradus, {lines[0]} thread")] + [("more", f"{n} threads") for n in lines[1:2]]
    legend += [("them", "the peer's best")] if peers else []
    x = margin
    for kind, text in legend:
        out.append(f'<path class="curve {kind}" d="M{x} 73h22"/><text x="{x + 28}" y="77">{text}</text>')
        x += 28 + 7 * len(text) + 24
    for place, family in enumerate(families):
        out += panel(family, lines, margin + place % columns * (panel_width + gap),
                     top + place // columns * (panel_height + gap))
    return "\n".join(out + ["</svg>\n"])
