"""What the command line accepts, and the one line that it says otherwise."""

import errno
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Literal

import pytest
import tyro

from asterism.cli import VERBS, Verb, main, one_line
from asterism.errors import UserError


@dataclass(frozen=True)
class Adam:
    learning_rate: float = 3e-4
    """Step size, per update."""
    steps: int = 10
    """Updates."""
    limit: int | None = None
    """Seconds."""


@dataclass(frozen=True)
class Toy:
    """A toy verb."""

    folder: tyro.conf.Positional[Path]
    """Where it goes."""
    size: Literal["tiny", "full"] = "tiny"
    """How big it is."""
    league: Adam = field(default_factory=Adam)

    def run(self) -> None:
        print(self)


@dataclass(frozen=True)
class Failing:
    how: tyro.conf.Positional[str]

    def run(self) -> None:
        raise {
            "user": UserError("shard 3 is corrupt:\n  record it again"),
            "full": OSError(errno.ENOSPC, "No space left on device", "a/b"),
            "inside": RuntimeError("database or disk is full"),
            "stop": KeyboardInterrupt(),
            "bug": ZeroDivisionError("a bug"),
        }[self.how]


TOYS = {
    "toy": Verb("plays with a toy", "test_cli:Toy"),
    "toys info": Verb("says what toys there are", "test_cli:Toy"),
    "fail": Verb("fails", "test_cli:Failing"),
    "missing": Verb("is not there", "no_such_module:Class"),
}


def complaint(capsys, *argv: str, code: int = 2) -> str:
    """What `asterism ARGV` says on stderr: one line."""
    assert main(argv, TOYS) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("asterism: ")
    return err.strip()


def test_settings_reach_the_verb(capsys):
    assert main(["toy", "a", "--size", "full", "--league.learning-rate", "0.5"], TOYS) == 0
    assert capsys.readouterr().out.strip() == str(Toy(Path("a"), "full", Adam(learning_rate=0.5)))
    assert main(["toys", "info", "a"], TOYS) == 0
    assert capsys.readouterr().out.strip() == str(Toy(Path("a")))


@pytest.mark.parametrize(
    "argv, says",
    [
        ("tol", "unknown verb tol: did you mean toy?"),
        ("xyz", "unknown verb xyz: there are toy, toys info, fail, missing"),
        ("toys", "toys needs a second word: toys info"),
        ("toys inf", "toys needs a second word: toys info"),
        ("toy", "toy: missing FOLDER|PATH"),
        ("toy a --sise full", "unknown setting --sise, did you mean --size?"),
        ("toy a --sise=full", "unknown setting --sise, did you mean --size?"),
        (
            "toy a --league.learning-rte 3",
            "unknown setting --league.learning-rte, did you mean --league.learning-rate?",
        ),
        ("toy a --learning-rate 3", "unknown setting --learning-rate, did you mean --league.learning-rate?"),
        ("toy a --qqqq 3", r"unknown setting --qqqq \("),
        ("toy a b c", "unexpected b c"),
        ("toy a --size huge", "'huge'.*'tiny', 'full'"),
        ("toy a --size", "missing value for argument '--size'"),
        ("toy a --league.steps 1.5", "--league.steps: '1.5' is not a whole number"),
        ("toy a --league.learning-rate fast", "--league.learning-rate: 'fast' is not a number"),
        ("toy a --league.limit x", "--league.limit: 'x' is not"),
    ],
)
def test_bad_input_is_one_line_that_names_it(capsys, argv, says):
    assert re.search(says, complaint(capsys, *argv.split()))


def test_long_values_are_not_torn(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    name = "a-very-long-value-" * 20
    assert name in complaint(capsys, "toy", "a", name)


def test_boxes_of_both_kinds_are_read():
    box = """╭─ Title ───────────╮
│ It is wrong.      │
│     --that one    │
│ ───────────────── │
│ Perhaps you meant │
╰───────────────────╯
"""
    assert one_line(box) == "It is wrong. --that one"
    assert one_line(" Title  \n --------- \n  It is wrong.  \n  ---------\n  Perhaps\n --------- \n") == "It is wrong"
    assert one_line(" Title  \n --------- \n  It is wrong.  \n --------- \n") == "It is wrong"
    assert one_line("") == ""


def test_errors_while_running(capsys):
    assert complaint(capsys, "fail", "user") == "asterism: shard 3 is corrupt: record it again"
    assert "disk full while writing a/b: free space and run the same command again" in complaint(capsys, "fail", "full")
    assert "disk full: free space" in complaint(capsys, "fail", "inside")
    assert complaint(capsys, "fail", "stop", code=130) == "asterism: stopped; the same command goes on"
    with pytest.raises(ZeroDivisionError):  # a mistake of ours keeps its traceback
        main(["fail", "bug"], TOYS)


def test_help_lists_the_verbs_without_importing_them(capsys):
    assert main(["--help"], TOYS) == 0
    text = capsys.readouterr().out
    assert all(name in text and verb.help in text for name, verb in TOYS.items())
    assert main([], TOYS) == 2
    assert main(["--version"], TOYS) == 0


def test_help_of_a_verb_has_every_setting_with_default_and_unit(capsys):
    with pytest.raises(SystemExit) as end:
        main(["toy", "--help"], TOYS)
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "Where it goes. (required)" in text and "{tiny,full} How big it is. (default: tiny)" in text
    assert "--league.learning-rate FLOAT Step size, per update. (default: 0.0003)" in text


def test_the_real_help_is_quick_since_it_imports_no_jax():
    code = "from asterism.cli import main; main(['--help']); import sys; print({'jax', 'numpy'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.endswith("set()\n")
    assert [line.split("  ")[1].strip() for line in result.stdout.splitlines() if line.startswith("  ")] == list(VERBS)


@pytest.mark.parametrize("argv", [["--help"], ["toy", "--help"]])
def test_a_reader_that_leaves_early_is_no_error(argv):
    code = f"import sys; from asterism.cli import main; from test_cli import TOYS; sys.exit(main({argv}, TOYS))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent, stdout=PIPE, stderr=PIPE)
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 0
