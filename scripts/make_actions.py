"""Writes `asterism/interface/data/actions.json`: the 564 raw functions of pysc2 and the parts that each uses."""

import json
from pathlib import Path

import tyro
from rows import write_rows

OUT = Path(__file__).parents[1] / "asterism" / "interface" / "data"
PARTS = {"queued": "queued", "units": "unit_tags", "target_unit": "target_unit_tag", "location": "world"}


def main(tech: Path, out: Path = OUT) -> None:
    """Makes actions.json.

    Args:
      tech: folder with raw_functions.json.
      out: folder to write to.
    """
    functions = json.loads((tech / "raw_functions.json").read_text(encoding="utf-8"))
    fields = ("id", "name", "kind", "ability_id", "general_id")
    rows = [
        {field: function[field] for field in fields} | {part: arg in function["args"] for part, arg in PARTS.items()}
        for function in functions
    ]
    write_rows(out / "actions.json", sorted(rows, key=lambda row: row["id"]))


if __name__ == "__main__":
    tyro.cli(main)
