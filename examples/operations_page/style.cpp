#include "style.h"

namespace page {

const std::string_view kHead = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>The operations of Gradus</title>
<style>
:root { --ink: #1d2433; --soft: #5b6577; --paper: #fdfcf9; --card: #ffffff; --line: #e3dfd4; --link: #20508f; --mark: #f3efe4;
  --primitive: #1f6f54; --rule: #a2421e; --view: #5a4a9c; --composed: #20508f; --none: #6b7280; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e2dc; --soft: #a2a7b2; --paper: #15181e; --card: #1b1f27; --line: #2f3541; --link: #8db8f2; --mark: #232833;
    --primitive: #6fcfa6; --rule: #f0976f; --view: #b3a4f5; --composed: #8db8f2; --none: #9aa3b0; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 "Iowan Old Style", "Palatino Linotype", Palatino,
  "Book Antiqua", Georgia, "DejaVu Serif", serif; display: grid; grid-template-columns: 17rem minmax(0, 50rem); column-gap: 3rem;
  justify-content: center; padding: 0 1.5rem; }
header { grid-column: 2; padding: 3rem 0 1rem; }
h1 { font-size: 2.3rem; font-weight: 500; line-height: 1.15; margin: 0 0 .6rem; letter-spacing: -.01em; }
h2 { font-size: 1.6rem; font-weight: 500; margin: 3.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.15rem; font-weight: 600; margin: 0; display: flex; align-items: baseline; gap: .8rem; flex-wrap: wrap; }
h3 a { color: inherit; text-decoration: none; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .95em; overflow-wrap: anywhere; }
.lead { color: var(--soft); font-size: 1.1rem; margin: 0; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .82em; }
nav { grid-column: 1; grid-row: 1 / span 2; position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto;
  padding: 3.2rem 0 2rem; font-size: .95rem; }
nav ol { list-style: none; margin: 1rem 0 0; padding: 0; }
nav li { margin: .15rem 0; }
nav a { text-decoration: none; }
nav small { color: var(--soft); }
#search { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  padding: .45rem .7rem; }
main { grid-column: 2; padding-bottom: 6rem; min-width: 0; }
.note { color: var(--soft); }
.index { font-size: .85rem; line-height: 1.9; }
.index a { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; text-decoration: none; background: var(--mark);
  border-radius: 4px; padding: .1rem .4rem; margin-right: .15rem; white-space: nowrap; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.2rem .8rem; margin: 1rem 0; }
article:target { border-color: var(--link); }
.kind { font-size: .72rem; font-weight: 400; letter-spacing: .05em; color: var(--none); border: 1px solid currentColor;
  border-radius: 99px; padding: 0 .6rem; }
.kind.primitive { color: var(--primitive); } .kind.rule { color: var(--rule); } .kind.view { color: var(--view); }
.kind.composed, .kind.second-name { color: var(--composed); }
.doc { margin: .45rem 0 0; }
.records { margin: .5rem 0 0; color: var(--soft); font-size: .85rem; }
.operation + .operation { border-top: 1px dashed var(--line); margin-top: .7rem; padding-top: .2rem; }
.formula { overflow-x: auto; overflow-y: hidden; padding: .35rem 0 .35rem .9rem; }
.formula.forward { font-size: 1.12em; padding-top: .6rem; }
.gradients { border-left: 3px solid var(--line); margin: .2rem 0 .4rem .9rem; }
math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "STIXMath", "DejaVu Math TeX Gyre", math; }
math[display="block"] { text-align: left; margin: 0; width: max-content; max-width: none; }
.cases mtd { text-align: left; padding: .15em .8em .15em .1em; }
.where { display: flex; flex-wrap: wrap; align-items: baseline; gap: .3rem 1.6rem; color: var(--soft); margin-top: .3rem; }
.where span { font-style: italic; font-size: .9rem; margin-right: -.8rem; }
.where .prose { font-style: normal; flex-basis: 100%; margin: 0; }
.keeps, .none { font-size: .82rem; color: var(--soft); }
.keeps { display: block; margin-top: .1rem; }
.source-comment { margin: .3rem 0 .4rem; color: var(--soft); font-size: .9rem; font-style: italic; }
dl { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; margin: .6rem 0 .2rem; font-size: .85rem; border-top: 1px solid var(--line);
  padding-top: .5rem; }
dl div { display: flex; gap: .45rem; min-width: 0; }
dt { color: var(--soft); white-space: nowrap; }
dd { margin: 0; overflow-wrap: anywhere; }
details { font-size: .88rem; }
summary { color: var(--soft); cursor: pointer; }
pre { overflow-x: auto; background: var(--mark); border-radius: 6px; padding: .6rem .8rem; margin: .4rem 0; line-height: 1.45; }
.legend p, .legend li { max-width: 44rem; }
table { border-collapse: collapse; font-size: .92rem; margin: .8rem 0; }
td { padding: .25rem .9rem .25rem 0; vertical-align: top; border-top: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
[hidden] { display: none !important; }
@media (max-width: 60rem) {
  body { display: block; padding: 0 1rem; }
  header { padding-top: 1.5rem; }
  nav { position: static; max-height: none; padding: .5rem 0 0; }
  nav ol { columns: 2 11rem; font-size: .9rem; }
  #search { position: sticky; top: 0; font-size: 16px; }
  h1 { font-size: 1.8rem; }
  article { padding: .8rem .8rem .6rem; margin-left: -.3rem; margin-right: -.3rem; }
  .formula { padding-left: .3rem; }
}
@media print { nav, details { display: none; } body { display: block; } article { break-inside: avoid; } }
</style>
</head>
<body>
)html";

const std::string_view kFoot = R"html(<script>
const search = document.getElementById("search"), none = document.getElementById("none");
const articles = [...document.querySelectorAll("article")], families = [...document.querySelectorAll("section.family")];
function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const a of articles) a.hidden = !words.every(w => a.dataset.names.toLowerCase().includes(w));
  let any = false;
  for (const f of families) {
    f.hidden = !f.querySelector("article:not([hidden])");
    f.querySelector(".index").hidden = words.length > 0;
    any = any || !f.hidden;
  }
  document.querySelector(".legend").hidden = words.length > 0;
  none.hidden = any;
}
search.addEventListener("input", show);
addEventListener("keydown", e => {
  if (e.key === "/" && document.activeElement !== search) { e.preventDefault(); search.focus(); }
  if (e.key === "Escape") { search.value = ""; show(); }
});
addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.closest("[hidden]")) { search.value = ""; show(); target.scrollIntoView(); }
});
</script>
</body>
</html>
)html";

const std::string_view kLegend = R"html(<section class="legend">
<h2 id="reading">How to read it</h2>
<p>Let <math><mi>L</mi></math> be the number that is differentiated. For any tensor <math><mi>x</mi></math>,
<math><mrow><mi mathvariant="normal">d</mi><mi>x</mi></mrow></math> stands for
<math><mfrac><mrow><mi>∂</mi><mi>L</mi></mrow><mrow><mi>∂</mi><mi>x</mi></mrow></mfrac></math>, which has the shape of
<math><mi>x</mi></math>. An operation’s first formula says what it computes; behind the bar stands, for each input, how its gradient is made of
<math><mrow><mi mathvariant="normal">d</mi><mi>y</mi></mrow></math>, that of the result. What stands behind the bar was read
from the C++ that runs; a result’s formula, a rule’s, and what stands above <i>as the code has it</i>, from the comment beside it where there is one.</p>
<table>
<tr><td><math><mrow><mi>a</mi><mo>·</mo><mi>b</mi></mrow></math>, <math><mrow><mi>a</mi><mo>⊙</mo><mi>b</mi></mrow></math></td><td>element by element; where matrices are multiplied, too, it is written <math><mo>⊙</mo></math></td></tr>
<tr><td><math><mrow><mi>A</mi><mspace width="0.17em"/><mi>B</mi></mrow></math>, <math><msup><mi>A</mi><mi>⊤</mi></msup></math></td><td>the product of matrices; a matrix transposed, of a batch each</td></tr>
<tr><td><math><mrow><mn>𝟏</mn><mo>[</mo><mi>m</mi><mo>]</mo></mrow></math></td><td>1 where <math><mi>m</mi></math> holds, else 0. A factor of this kind also stops infinities and NaN: it selects, it does not multiply. Masks that only keep a division by 0
out of what such a factor drops are not shown</td></tr>
<tr><td><math><mrow><munder><mo>∑</mo><mi>dim</mi></munder><mi>x</mi></mrow></math></td><td>over these dimensions, over all where none are named; −1 is the last</td></tr>
<tr><td>broadcasting</td><td>an operand that was stretched has its gradient summed over where it was; the engine does it, the formulas need not</td></tr>
<tr><td><math><mi>g</mi></math></td><td>the gradient that arrives, in operations that are gradients themselves and have an operand called d<i>y</i></td></tr>
</table>
<p><b>Kinds.</b> A <i>primitive</i> has a forward and a formula for each input; under <code>create_graph</code> the formulas’ own operations are recorded, so
that they can be differentiated again. A <i>view</i> is a primitive that moves no number. A <i>rule</i> has its gradient written by hand, in one pass, beside a
reference that the graph differentiates and that it is held against. What is <i>composed</i> is a function of others; its gradient is made by the graph.</p>
<p><b>Keeps</b> says what the graph holds on to between forward and backward: what the formula asks for in its parameters, and only if that gradient is
wanted.</p>
<p><b>Passes</b> over memory: each operation reads each operand once and writes each result once, an operand of any size counted as one; so
<math><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow></math> takes 3, <math><mrow><mn>2</mn><mi>x</mi></mrow></math> takes 2, a view none. Forward is counted from operands and results, backward from the operations in
the formulas of all inputs, as written; <i>1 to 5</i>: by the case. A rule’s backward is one pass that reads what it keeps and
<math><mrow><mi mathvariant="normal">d</mi><mi>y</mi></mrow></math>, and writes the gradients that are wanted. Matrix products and decompositions cost arithmetic, which passes do not show.</p>
</section>
)html";

}  // namespace page
