"""Sphinx configuration: everything the pages need is in this folder."""

from importlib.metadata import version as installed_version

project = "settlekit"
copyright = "the settlekit authors"
author = "the settlekit authors"
version = release = installed_version("settlekit")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"settlekit {release}"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
# Types of the standard library and of HTTP clients have no page here.
nitpick_ignore_regex = [(r"py:.*", r".*")]


def setup(app):
    """Leave a model's fields to the list of its arguments, which says their types."""
    app.connect("autodoc-skip-member", lambda _app, _what, _name, found, *_: _is_field(found))


def _is_field(found):
    # How autodoc names a slot that it found.
    return True if repr(found) == "SLOTS_ATTR" else None
