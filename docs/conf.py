"""Settings of the site; `make docs` builds it."""

import sys
import typing
from dataclasses import is_dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
typing.GENERATING_DOCUMENTATION = "asterism"  # jaxtyping then calls its types by their short names

import agent_tables  # noqa: E402
import bot_tables  # noqa: E402
import interface_tables  # noqa: E402
import learning_tables  # noqa: E402
import tables  # noqa: E402
from sphinx.ext.napoleon import GoogleDocstring  # noqa: E402

from asterism import __version__  # noqa: E402

project = "Asterism"
author = "the authors of Asterism"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]

# Pages are Markdown, as GitHub shows it; `{{ name }}` stands for a table that is made now.
myst_enable_extensions = ["colon_fence", "substitution"]
myst_substitutions = {
    name: f":::{{container}} wide\n\n{text}\n\n:::"
    for module in (tables, interface_tables, bot_tables, agent_tables, learning_tables)
    for name, text in module.substitutions().items()
}
myst_heading_anchors = 3

# Docstrings have backticks round code, as Markdown has.
default_role = "code"
add_module_names = False
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "undoc-members": True}

html_theme = "furo"
html_title = "Asterism"
html_static_path = ["style"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
copybutton_prompt_text = "$ "


def without_fields(app, what, name, kind, options, signature, returns):
    """A record's signature would only repeat its fields, which follow it."""
    record = what == "class" and (is_dataclass(kind) or hasattr(kind, "_fields"))
    return ("", None) if record else (signature, returns)


def without_fillers(app, what, name, thing, options, lines):
    """Leaves out what Python itself says of a field that has no docstring."""
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def with_sections(app, what, name, thing, options, lines):
    """Args, Returns and Raises as lists. (The extension napoleon would take the colons of fields for sections, too.)"""
    if what in ("class", "function", "method"):
        lines[:] = GoogleDocstring(lines, what=what).lines()


def setup(app):
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", without_fields)
    app.connect("autodoc-process-docstring", without_fillers)
    app.connect("autodoc-process-docstring", with_sections)
