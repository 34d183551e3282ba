"""One command, `asterism VERB`: finds the verb, reads its settings, runs it, and says in one line what went wrong."""

import difflib
import io
import os
import re
import select
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from pkgutil import resolve_name
from typing import Any, NamedTuple

from asterism import __version__
from asterism.errors import UserError
from asterism.files import FULL, disk_is_full

STOPPED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""


class Verb(NamedTuple):
    """A verb; its module is imported when it is chosen, so that `asterism --help` need not wait for JAX."""

    help: str
    target: str
    """module:Class of a dataclass, whose fields are the settings, with a method `run()`."""


VERBS = {
    "train": Verb(
        "record games, imitate them, train a league, evaluate, report; resumes", "asterism.runtime.train:TrainConfig"
    ),
    "record": Verb("record games of bots against each other", "asterism.runtime.record:RecordConfig"),
    "demos info": Verb("what is inside a folder of recorded games", "asterism.demos.info:InfoConfig"),
    "evaluate": Verb(
        "play a run's agent against every bot and its own teacher", "asterism.runtime.evaluate:EvaluateConfig"
    ),
    "ablate": Verb(
        "train variants that differ in one respect, side by side, and compare them",
        "asterism.runtime.ablate:AblateConfig",
    ),
    "play": Verb(
        "play one game of a run's agent, or of two scripted players of any race, and draw it",
        "asterism.runtime.play:PlayConfig",
    ),
    "agent describe": Verb(
        "the blocks of a network, their weights, and what a step costs",
        "asterism.runtime.describe_agent:DescribeConfig",
    ),
    "tasks": Verb(
        "learn small tasks, each of which needs one ability of the agent", "asterism.runtime.task_suite:TasksConfig"
    ),
    "league": Verb(
        "the standings of a run's league: ratings, Nash distribution, worst cases, payoff",
        "asterism.runtime.standings:StandingsConfig",
    ),
    "report": Verb("write a run's report.html again", "asterism.runtime.report:ReportConfig"),
}


def main(argv: Sequence[str] | None = None, verbs: Mapping[str, Verb] = VERBS) -> int:
    """Runs `asterism` with the arguments and returns the exit code: 0, 2 (bad input, full disk) or 130 (Ctrl-C)."""
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        try:
            return _dispatch(argv, verbs)
        finally:
            sys.stdout.flush()
    except UserError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain("stopped; the same command goes on", STOPPED)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_gone():
            return 0
        if not disk_is_full(error):
            raise
        where = f" while writing {error.filename}" if isinstance(error, OSError) and error.filename else ""
        return _complain(f"disk full{where}: {FULL}")


def _dispatch(argv: Sequence[str], verbs: Mapping[str, Verb]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(usage(verbs))
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"asterism {__version__}")
        return 0
    name, rest = find_verb(argv, verbs)
    parse(name, resolve_name(verbs[name].target), rest).run()
    return 0


def usage(verbs: Mapping[str, Verb]) -> str:
    """The help text of `asterism` itself."""
    width = max(map(len, verbs)) + 2
    lines = [f"  {name:{width}}{verb.help}" for name, verb in verbs.items()]
    return "\n".join(
        [
            "usage: asterism VERB [settings]",
            "",
            "AlphaStar that anyone can run: learns a real-time strategy game from recorded games and in a league.",
            "",
            *lines,
            "",
            "asterism VERB --help: every setting of a verb, with its default and unit",
            "asterism --version:   the version",
        ]
    )


def find_verb(argv: Sequence[str], verbs: Mapping[str, Verb]) -> tuple[str, list[str]]:
    """The verb that the arguments begin with (one word or two), and the arguments after it; UserError when none."""
    for words in (2, 1):
        name = " ".join(argv[:words])
        if name in verbs and len(argv) >= words:
            return name, list(argv[words:])
    seconds = [name.split()[1] for name in verbs if name.split()[0] == argv[0] and " " in name]
    if seconds:
        raise UserError(f"{argv[0]} needs a second word: {' or '.join(f'{argv[0]} {word}' for word in seconds)}")
    close = difflib.get_close_matches(argv[0], [name.split()[0] for name in verbs], n=1)
    advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(verbs)}"
    raise UserError(f"unknown verb {argv[0]}: {advice} (asterism --help says what each does)")


def parse(name: str, kind: type, argv: Sequence[str]) -> Any:
    """The settings of a verb, from its arguments. Raises UserError in one line; SystemExit(0) after --help."""
    import tyro

    try:
        with redirect_stderr(io.StringIO()):
            return tyro.cli(kind, prog=f"asterism {name}", args=list(argv))
    except SystemExit as end:
        if end.code in (0, None):
            raise
    text = _complaint(name, kind, argv)
    unknown = re.match("Unrecognized options: (.*)", text)
    if unknown:
        text = _unknown(unknown[1].split(", "), _settings(kind))
    raise UserError(f"{name}: {text[:1].lower()}{text[1:]} (asterism {name} --help lists the settings)")


def _complaint(name: str, kind: type, argv: Sequence[str]) -> str:
    """What Tyro has against the arguments, in one line."""
    import tyro

    columns = os.environ.get("COLUMNS")
    # Tyro draws a box of the terminal's width; in a very wide one no word is torn.
    os.environ["COLUMNS"] = "100000"
    try:
        with redirect_stderr(io.StringIO()) as box, suppress(SystemExit):
            tyro.cli(kind, prog=f"asterism {name}", args=list(argv))
    finally:
        del os.environ["COLUMNS"]
        os.environ.update({} if columns is None else {"COLUMNS": columns})
    return one_line(box.getvalue())


def one_line(box: str) -> str:
    """The text of a box that Tyro drew (in ASCII where the terminal has no more), down to its first ruler."""
    rows = [row.strip("│ ") for row in box.splitlines()[1:]]
    ruler = re.compile("[─-]{4,}|╰─+╯")
    rows = rows[1:] if rows and ruler.fullmatch(rows[0]) else rows
    end = next((i for i, row in enumerate(rows) if ruler.fullmatch(row)), len(rows))
    text = " ".join(" ".join(rows[:end]).split()).rstrip(".")
    for pattern, plain in (
        (r"invalid literal for int\(\) with base 10: (.*)", r"\1 is not a whole number"),
        (r"could not convert string to float: (.*)", r"\1 is not a number"),
        (r"no type matching (.*) could be instantiated from \[(.*?)\]\..*", r"\2 is not \1"),
        (r"Missing from [^:]*: (.*?)( \(required\))?$", r"Missing \1"),
        (r"Error parsing |\. Expected 1 values", ""),
    ):
        text = re.sub(pattern, plain, text)
    return text


def _settings(kind: type) -> list[str]:
    """The settings of a verb as they are written on the command line, read from its help."""
    import tyro

    text = io.StringIO()
    with redirect_stdout(text), suppress(SystemExit):
        tyro.cli(kind, args=["--help"])
    return re.findall(r"(?<![\w.-])--[\w.-]+", text.getvalue())


def _unknown(tokens: Sequence[str], settings: Sequence[str]) -> str:
    """What to say of arguments that are none, and which settings were probably meant."""
    flags = [token.split("=")[0] for token in tokens if token.startswith("-")]
    if not flags:
        return f"unexpected {' '.join(tokens)}"
    close = [difflib.get_close_matches(flag, settings, n=1) for flag in flags]
    advice = "".join(f", did you mean {match[0]}?" if match else "" for match in close)
    return f"unknown setting {' '.join(flags)}{advice}"


def _reader_gone() -> bool:
    """Whether whoever read our output has closed the pipe early (`| head`), which is no error."""
    try:
        pipe = sys.stdout.fileno()
    except OSError:  # not a file
        return False
    poll = select.poll()
    poll.register(pipe, 0)
    gone = any(event & select.POLLERR for _, event in poll.poll(0))
    if gone:  # what is still to be written goes nowhere, or Python would complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe)
    return gone


def _complain(message: str, code: int = 2) -> int:
    print("asterism: " + " ".join(message.split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
