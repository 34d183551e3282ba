"""docs/interface.md names every field of the interface."""

import re
from pathlib import Path

import pytest

from asterism.interface.action import Action
from asterism.interface.observation import (
    Alliance,
    Cloak,
    DisplayType,
    EntityField,
    MapPlane,
    Privileged,
    Race,
    Scalars,
    Statistic,
    Strategy,
)

PAGE = (Path(__file__).parents[2] / "docs" / "interface.md").read_text()
NAMED = set(re.findall(r"`(\w+)`", PAGE))


@pytest.mark.parametrize("names", [EntityField, MapPlane, Statistic, Race, Alliance, Cloak, DisplayType])
def test_every_number_is_named(names):
    assert not {member.name for member in names} - NAMED


@pytest.mark.parametrize("fields", [Scalars, Strategy, Privileged, Action])
def test_every_part_is_named(fields):
    assert not set(fields._fields) - NAMED
