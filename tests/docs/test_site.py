"""The site is built without a warning, and nothing in it leads nowhere; a page that is wrong fails the build."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("sphinx", reason="needs pip install -e '.[docs]', which make test brings")

DOCS = Path(__file__).parents[2] / "docs"


def build(source: Path, out: Path) -> subprocess.CompletedProcess:
    """What `make docs` does, for the pages in `source`."""
    options = ["-W", "--keep-going", "-E", "-q", "-c", DOCS, "-d", out.parent / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *map(str, options), str(source), str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


class Page(HTMLParser):
    """Links, sources of pictures and programs, and anchors of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.sources, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.anchors.add(said.get("id"))
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        self.sources += [said[key] for key in ("src", "href") if key in said and tag in ("img", "script", "link")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, and its pages by path."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = build(DOCS, folder)
    assert done.returncode == 0, done.stderr
    return folder, {path.resolve(): Page(path) for path in folder.rglob("*.html") if "_static" not in path.parts}


def test_every_page_is_in_the_site(site):
    folder, pages = site
    assert {path.stem for path in DOCS.glob("*.md")} <= {path.stem for path in pages}
    assert "Marauder" in (folder / "units.html").read_text(encoding="utf-8")


def test_every_link_and_anchor_leads_somewhere(site):
    """Of other sites only the form of the address is looked at."""
    for path, page in site[1].items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https" and "." in parts.netloc, f"{path.name}: {link}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path.name}: {link}"
            if parts.fragment and target in site[1]:
                assert unquote(parts.fragment) in site[1][target].anchors, f"{path.name}: {link}"


def test_pages_need_no_other_site(site):
    """Pictures, styles and programs are all there, so that pages can be read without a network."""
    for path, page in site[1].items():
        for source in page.sources:
            parts = urlsplit(source)
            assert not parts.scheme and not parts.netloc, f"{path.name}: {source}"
            assert not parts.path or (path.parent / unquote(parts.path)).is_file(), f"{path.name}: {source}"


def test_a_page_that_is_wrong_fails_the_build(tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    text = """# Page

    [a](gone.md) [b](#nowhere) [c](index.md#nothing) ![d](lost.png)

    {{ unknown_table }}
    """
    (pages / "index.md").write_text(text.replace("    ", ""), encoding="utf-8")
    done = build(pages, tmp_path / "site")
    assert done.returncode == 1
    for wrong in ("gone.md", "nowhere", "nothing", "lost.png", "unknown_table"):
        assert wrong in done.stderr, done.stderr
