"""A config survives JSON, and nothing else passes for one."""

import json
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterism.errors import UserError
from asterism.runtime.config_file import differences, from_json, to_json


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Inner:
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    steps: int | None = None


@dataclass(frozen=True)
class Outer:
    size: Literal["tiny", "full"] = "tiny"
    folder: Path = Path("a/b")
    colour: Colour = Colour.RED
    names: tuple[str, ...] = ()
    mixed: float | int | str = 0
    on: bool = True
    shares: dict[str, float] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)


floats = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, floats, st.tuples(floats, floats), st.none() | st.integers())
outers = st.builds(
    Outer,
    size=st.sampled_from(["tiny", "full"]),
    folder=st.sampled_from([Path("x"), Path("/y/z w")]),
    colour=st.sampled_from(Colour),
    names=st.lists(st.text()).map(tuple),
    mixed=floats | st.integers() | st.text(),
    on=st.booleans(),
    shares=st.dictionaries(st.text(), floats),
    inner=inners,
)


@given(outers)
def test_json_and_back_is_the_same_config(config):
    back = from_json(Outer, json.loads(json.dumps(to_json(config))))
    assert back == config
    assert type(back.mixed) is type(config.mixed)


@pytest.mark.parametrize(
    "keys, value, says",
    [
        (("size",), "huge", "size must be one of tiny, full, not 'huge'"),
        (("on",), 1, "on must be true or false"),
        (("names",), "abc", "names must be a list"),
        (("inner", "learning_rate"), "fast", "inner.learning-rate must be a number"),
        (("inner", "learning_rate"), True, "inner.learning-rate must be a number"),
        (("inner", "betas"), [0.9], "inner.betas must be a list of 2"),
        (("inner", "steps"), 1.5, "inner.steps must be"),
        (("inner",), 3, "inner must be a group of settings"),
        (("colour",), "GREEN", "colour must be one of RED, BLUE"),
        (("new",), 1, "unknown setting new"),
        (("inner", "extra"), 1, "unknown setting inner.extra"),
    ],
)
def test_what_does_not_fit_is_named(keys, value, says):
    data = to_json(Outer())
    group = data
    for key in keys[:-1]:
        group = group[key]
    group[keys[-1]] = value
    with pytest.raises(UserError, match=says):
        from_json(Outer, data)


def test_a_missing_setting_is_named():
    data = to_json(Outer())
    del data["inner"]["steps"]
    with pytest.raises(UserError, match="run.json: missing setting inner.steps"):
        from_json(Outer, data, "run.json")


def test_differences_have_the_names_of_the_command_line():
    changed = replace(Outer(), on=False, inner=Inner(learning_rate=0.5))
    assert differences(to_json(Outer()), to_json(changed)) == {
        "on": (True, False),
        "inner.learning-rate": (1e-3, 0.5),
    }
    assert differences(to_json(Outer()), to_json(Outer())) == {}
