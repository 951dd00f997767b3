"""take_pictures.py PAGES FOLDER: what `pictures` says."""
import pathlib
import sys

from browser import Browser

# Of each page the step that says most: a ReLU's or a product's backward, a convolution, attention.
STEPS = {
    "mlp": ("backward", "linear", 1),
    "cnn": ("forward", "conv2d", 1),
    "transformer": ("backward", "scaled_dot_product_attention", 0),
}


def main():
    pages, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    browser = Browser(pages)
    try:
        for name, (kind, operation, which) in STEPS.items():
            for width, height in ((1440, 900), (400, 800)):
                browser.size(width, height)
                for theme in ("light", "dark"):
                    browser.open(name, "#step=1&theme=" + theme)
                    browser.js("""const [kind, name, which] = arguments, all = page.timeline.map((_, i) => i).filter((i) => page.at(i).kind === kind);
                      const fits = all.filter((i) => page.operations[page.at(i).operation].name === name);
                      page.go({step: fits[Math.min(which, fits.length - 1)] ?? all[Math.floor(all.length / 2)]});""", kind, operation, which)
                    browser.settle()
                    browser.driver.execute_async_script("setTimeout(arguments[0], 400)")  # until the picture rests
                    browser.screenshot(folder / f"{name}_{theme}_{width}.png")
    finally:
        browser.close()


main()
