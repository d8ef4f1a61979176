"""Sphinx configuration: everything the pages need is in this folder."""

from importlib.metadata import version as installed_version

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

import settlekit

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
toc_object_entries_show_parents = "hide"
# Types of the standard library and of HTTP clients have no page here.
nitpick_ignore_regex = [(r"py:.*", r".*")]


_client = settlekit.Client(token="nobody", base_url="http://localhost/v1")  # noqa: S106
GIVEN = {
    f"Client.{name}": type(resource)
    for name, resource in vars(_client).items()
    if not name.startswith("_")
} | {name: getattr(settlekit, name) for name in ("Page", "AsyncPage", "Rows", "UsageRows")}
"""What is given to users and never made by them, by the name under which they know it."""

_copies = []


class Given(SphinxDirective):
    """``.. given:: Client.merchants``: a class by that name, with no way to make one."""

    required_arguments = 1

    def run(self):
        """Document a copy that has the public name, its members in the order of the source."""
        name = self.arguments[0]
        original = GIVEN[name]
        own = {name: value for name, value in vars(original).items() if name not in UNTOLD}
        owner, _, short = name.rpartition(".")
        copy = type(short, (), {**own, "__qualname__": original.__qualname__})
        _copies.append(copy)
        setattr(settlekit.Client if owner else settlekit, short, copy)
        told = [f".. autoclass:: settlekit::{name}", ""]
        for member, value in own.items():
            kind = "property" if isinstance(value, property) else "method"
            if not member.startswith("_"):
                told += [f"   .. auto{kind}:: settlekit::{name}.{member}", ""]
        found = self.parse_text_to_nodes("\n".join(told))
        signature = next(iter(found[-1].findall(addnodes.desc_signature)))
        for word in list(signature.findall(addnodes.desc_annotation)):
            signature.remove(word)
        if owner:
            signature.insert(0, addnodes.desc_addname("", "settlekit."))
            signature["_toc_name"] = ""  # its section has the same name
        return found


UNTOLD = ("__init__", "__dict__", "__weakref__")


def setup(app):
    """Leave out what is told elsewhere: a model's fields as slots, a client's resources."""
    app.add_directive("given", Given)
    app.connect("autodoc-skip-member", lambda _app, _what, _name, found, *_: _is_told(found))
    app.connect("doctree-resolved", _name_publicly)


def _name_publicly(_app, page, _name):
    """Let a link's hint say the name that the link leads to, not the module that has it."""
    for link in page.findall(nodes.reference):
        if "reftitle" in link:
            link["reftitle"] = link.get("refuri", "").partition("#")[2] or link.get("refid")


def _is_told(found):
    # How autodoc names a slot that it found.
    return True if repr(found) == "SLOTS_ATTR" or found in _copies else None
