"""The site that `make site` builds of these documents, without a network."""

import os
import re
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

DOCS = Path(__file__).parent
ROOT = DOCS.parent

BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "src/facewright/bundles/faces-28.md": "models/faces-28.md",
    "src/facewright/bundles/faces-64.md": "models/faces-64.md",
}
"""Documents that stand outside this folder, and the pages that include them."""

project = "Facewright"
author = "The Facewright engineers"
copyright = "the Facewright engineers"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3  # the anchors of GitHub, so that a link works there and here
highlight_language = "text"
exclude_patterns = ["images"]
nitpicky = True

html_theme = "furo"
html_title = "Facewright"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"

FOLDER = "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
FUNCTION = re.compile(r"<mi>(log|tanh)</mi>")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")


def links_from(text: str, file: Path, page: Path) -> str:
    """`text`, whose links are relative to `file`, with links relative to `page`."""

    def moved(link: re.Match[str]) -> str:
        target = os.path.relpath(file.parent / link[1], ROOT)
        there = DOCS / BESIDE[target] if target in BESIDE else ROOT / target
        return os.path.relpath(there, page.parent)

    return LINK.sub(moved, text)


def page_read(app: Any, docname: str, content: list[str]) -> None:
    """Lead links that leave this folder to their pages; a folder's README is above its pages."""
    page = DOCS / f"{docname}.md"
    content[0] = links_from(content[0], page, page)
    if page.name == "README.md":
        content[0] += FOLDER


def include_read(app: Any, path: Path, parent: str, content: list[str]) -> None:
    """The same for a file that stands elsewhere, whose links are relative to its own folder."""
    file = Path(os.path.normpath(DOCS / path))
    content[0] = links_from(content[0], file, DOCS / f"{app.env.docname}.md")


def visit_math(self: Any, node: Any) -> None:
    """Write a formula as MathML, which browsers draw themselves; MathJax would need a network."""
    block = node.tagname == "math_block"
    # docutils leaves out TeX's thin space between the name of a function and its argument.
    formula = FUNCTION.sub(r'\g<0><mspace width="0.17em"/>', tex2mathml(node.astext(), block))
    self.body.append(f'<div class="math">{formula}</div>' if block else formula)
    raise SkipNode


def setup(app: Any) -> None:
    """Add the two readers and the formulas to Sphinx."""
    app.connect("source-read", page_read)
    app.connect("include-read", include_read)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
