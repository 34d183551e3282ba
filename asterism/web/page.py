"""Pages from templates."""

from typing import Any


def render_page(template: str, **values: Any) -> str:
    """The HTML of a template of this package, every text in it escaped."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("asterism.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(**values)
