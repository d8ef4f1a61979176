"""Sphinx configuration: everything the pages need is in this folder."""

from importlib.metadata import version as installed_version

project = "settlekit"
copyright = "the settlekit authors"
author = "the settlekit authors"
version = release = installed_version("settlekit")

extensions = ["myst_parser"]
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
