"""What the pages tell a reader to type is there: commands are understood, programs run, links lead to files."""

import re
import shlex
from pathlib import Path
from pkgutil import resolve_name
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt

from asterism import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
TARGETS = set(re.findall(r"^([\w./]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SCRIPT = re.compile(r"(examples|scripts|benchmarks)/\w+\.py")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block of code on a page."""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    return [(token.info, token.content) for token in tokens if token.type in ("fence", "code_block")]


def commands(page: Path) -> list[tuple[str, str]]:
    """Each line of code on a page that a reader would type in a shell, and the line after it."""
    lines = [line for _, text in blocks(page) for line in (*text.splitlines(), "")]
    shell = re.compile(r"(\$ )?((asterism|make|python) .*)")
    return [(match[2], after) for line, after in zip(lines, lines[1:]) if (match := shell.fullmatch(line))]  # noqa: B905


ALL = [(page.name, *pair) for page in PAGES for pair in commands(page)]


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """A place where `runs/first-light` is what a run leaves, as far as settings are checked by it."""
    for name in ("agent.safetensors", "teacher.safetensors", "demos/x"):
        path = tmp_path / "runs" / "first-light" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page, command, after", ALL, ids=[f"{page}: {command}" for page, command, _ in ALL])
def test_a_command_is_understood(page, command, after, run_folder, capsys):
    first, *rest = shlex.split(command, comments=True)
    if first == "make":
        assert {word for word in rest if "=" not in word} <= TARGETS
    elif first == "python":
        assert SCRIPT.fullmatch(rest[0]) and (ROOT / rest[0]).is_file()
    elif after.startswith("asterism: "):
        assert cli.main(rest) == 2
        assert capsys.readouterr().err.strip() == after
    elif rest[0] != "VERB":
        name, settings = cli.find_verb(rest, cli.VERBS)
        cli.parse(name, resolve_name(cli.VERBS[name].target), settings)


def test_there_are_commands():
    assert {"README.md", "start.md", "game.md"} & {page for page, *_ in ALL} >= {"README.md", "start.md"}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(kind == "python" for kind, _ in blocks(page))], ids=lambda page: page.name
)
def test_programs_of_a_page_run(page, tmp_path, monkeypatch):
    """One after the other, as a reader would type them. Those from examples/ run in tests/test_examples.py."""
    monkeypatch.chdir(tmp_path)
    exec("\n".join(text for kind, text in blocks(page) if kind == "python"), {"__name__": page.stem})


@pytest.mark.parametrize("page", list(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_links_beside_the_site_lead_to_files(page):
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    inline = [child for token in tokens for child in token.children or ()]
    links = [
        child.attrs.get("href") or child.attrs.get("src") for child in inline if child.type in ("link_open", "image")
    ]
    for link in links:
        assert urlsplit(link).scheme == "https" or (page.parent / urlsplit(link).path).exists(), link
