"""The page of each hazard index: those committed are those that the declarations make; each picture has its page."""

import re
from pathlib import Path

import pytest

from minefusion.pipelines.hazard.catalogue import INDICES
from minefusion.pipelines.hazard.pages import FOLDER, PICTURES, SUBJECTS, drawn_in, index_page, pages
from minefusion.pipelines.hazard.rows import YELLOW
from minefusion.schemas.levels import NAMES, all_steps
from minefusion.serving.index_picture import level_kept

DOCS = Path(__file__).parents[3] / "docs"
LARGEST_PICTURE = 40_000


def test_committed_pages_are_up_to_date():
    made = pages(drawn_in(DOCS))
    stale = [name for name, text in made.items() if not _is(DOCS / name, text)]
    assert not stale, "run `make docs`"
    there = {f"{FOLDER}/{path.name}" for path in (DOCS / FOLDER).glob("*.md")}
    assert there <= made.keys(), "run `make docs`: nothing makes these pages any more"


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("index", INDICES, ids=lambda index: index.id)
def test_a_page_tells_formula_inputs_levels_and_edges(index):
    page = index_page(index, is_drawn=False)
    assert page.startswith(f"# {index.id} {index.name_zh} · {index.name_en}\n")
    assert not index.formula or f"$$\n{index.formula}\n$$" in page
    assert all(f"- {line}\n" in f"{page}\n" for line in (*index.reads, *index.edges))
    assert index.source in page
    for steps in all_steps():
        if steps.index_id == index.id:
            assert all(f"{value:g}" in page for name in NAMES if (value := getattr(steps, name)) is not None)
    assert index.id[0] in SUBJECTS


@pytest.mark.parametrize("index", [index for index in INDICES if index.formula], ids=lambda index: index.id)
def test_a_formula_is_whole(index):
    """Braces and sized brackets in pairs, on lines that Markdown leaves alone."""
    plain = index.formula.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert len(re.findall(r"\\left(?![a-z])", plain)) == len(re.findall(r"\\right(?![a-z])", plain))
    assert plain.count(r"\begin{") == plain.count(r"\end{")
    assert "\n\n" not in index.formula
    assert "$" not in index.formula


def test_pictures_are_small_and_each_is_shown_on_its_page():
    ids = {index.id for index in INDICES if index.scenario}
    for path in (DOCS / FOLDER / PICTURES).iterdir():
        assert path.stem in ids, f"{path.name} is of no index with a scenario"
        assert path.stat().st_size < LARGEST_PICTURE
        assert f"({PICTURES}/{path.name})" in (DOCS / FOLDER / f"{path.stem}.md").read_text(encoding="utf-8")


DRIVEN = [index for index in INDICES if not index.without_scenario]


@pytest.mark.parametrize("index", DRIVEN, ids=lambda index: index.id)
def test_each_index_is_drawn_over_a_scenario_that_takes_it_to_yellow_or_worse(index):
    """`python -m minefusion.pictures --check` runs the scenarios and compares the levels that the pictures keep."""
    level = level_kept(DOCS / FOLDER / PICTURES / f"{index.id}.svg")
    assert level is not None, f"run `make pictures SCENARIOS={index.scenario}`"
    assert level >= YELLOW
