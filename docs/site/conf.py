"""How Sphinx makes the site. Its pages ask no other host for anything, and they open from disk."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = html_title = "InfoGAN"
extensions = ["myst_nb", "sphinx.ext.githubpages"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # `python -m infogan_core site` has run them
nb_ipywidgets_js = {}
html_theme = "furo"
html_theme_options = {"dark_css_variables": {"color-background-primary": "#17171a"}}  # as the sliders' own page
html_math_renderer = "mathml"
html_favicon = "static/icon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = html_show_sourcelink = html_show_copyright = html_use_index = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses to a page from disk
suppress_warnings = ["toc.not_included"]  # some pages are only linked from another


def setup(app):
    app.add_html_math_renderer("mathml", (_formula, None), (_formula, None))


def _formula(self, node):
    """MathML, which browsers draw without a script."""
    block = isinstance(node, nodes.math_block)
    math = tex2mathml(node.astext(), as_block=block)
    math = math.replace("<mo>&ApplyFunction;", '<mo rspace="0.17em">&ApplyFunction;')  # log Q, as TeX sets it
    self.body.append(f'<div class="formula">{math}</div>' if block else math)
    raise nodes.SkipNode
