"""The reference pages: those committed are those that the declarations make."""

import re
from pathlib import Path

from minefusion.schemas.catalog import TABLES
from minefusion.schemas.docs import OWN_FOLDERS, pages, write
from minefusion.schemas.exchange.grammar import kinds, reports
from minefusion.schemas.governance import cards
from minefusion.schemas.limits import all_limits
from minefusion.schemas.quality import findings, quality_rules

DOCS = Path(__file__).parents[2] / "docs"


def test_committed_pages_are_up_to_date():
    made = pages()
    there = {name: (DOCS / name).read_text(encoding="utf-8") for name in made if (DOCS / name).is_file()}
    stale = sorted(name for name, text in made.items() if there.get(name) != text)
    assert not stale, "run `make docs`"
    left = {
        path.relative_to(DOCS).as_posix() for own in OWN_FOLDERS for path in (DOCS / own).glob("*.md")
    } - made.keys()
    assert not left, "run `make docs`: nothing makes these pages any more"


def test_each_table_has_a_page_with_every_column():
    made = pages()
    for table in TABLES.values():
        page = made[f"tables/{table.name}.md"]
        for column in table.columns:
            assert f"| `{column.name}` | {column.type} |" in page
            assert column.zh in page


def test_each_table_page_names_data_domain_owner_level_and_what_is_personal():
    made = pages()
    for table in TABLES.values():
        page = made[f"tables/{table.name}.md"]
        assert f"| data domain | [{cards()[table.name].code}](../governance.md) " in page
        assert f"· {table.owner} |" in page
        assert f"| security level | **{table.level}** " in page
    assert "| Card code. **Personal: 展示时散列 · hashed when shown.** |" in made["tables/silver.position.md"]


def test_rules_and_findings_stand_in_the_page_of_quality_rules():
    page = pages()["quality-rules.md"]
    assert all(f"| `{name}` | {rule.title_zh}<br>" in page for name, rule in quality_rules().items())
    assert all(f"| `{code}` | {found.rule} |" in page for code, found in findings().items())


def test_each_file_kind_is_listed_with_all_its_layouts():
    made = pages()
    everything = "\n".join(text for name, text in made.items() if name.startswith("file-kinds/"))
    for kind in kinds().values():
        assert f"`{kind.kind}`" in everything or f"# {kind.kind} · {kind.zh}" in everything
        for layout in kind.layouts:
            assert f"## 记录 · Record `{layout.dialect or 'main'}`" in everything
    for line in made["file-kinds.md"].splitlines():
        if line.startswith("| ["):
            assert line.split("(")[1].split(")")[0] in made, "a link that leads nowhere"


def test_each_report_code_says_what_to_do():
    page = pages()["report-codes.md"]
    for told in reports().values():
        assert f"| `{told.code}` |" in page
        assert told.mend_zh in page


def test_uncertain_limits_are_labelled():
    page = pages()["limits.md"]
    rows = {
        limit.rule_id: next(line for line in page.splitlines() if f"| `{limit.rule_id}` |" in line)
        for limit in all_limits()
    }
    for limit in all_limits():
        assert ("**advisory**" in rows[limit.rule_id]) is limit.is_advisory
        assert limit.source in rows[limit.rule_id]


def test_tables_in_a_page_have_as_many_cells_in_each_row():
    for name, text in pages().items():
        for block in text.split("\n\n"):
            rows = [line for line in block.splitlines() if line.startswith("|")]
            assert len({line.replace("\\|", "").count("|") for line in rows}) <= 1, name


def test_writing_twice_changes_nothing_and_takes_away_what_is_no_longer_made(tmp_path):
    made = pages()
    assert len(write(tmp_path, made, OWN_FOLDERS)) == len(made)
    assert write(tmp_path, made, OWN_FOLDERS) == []
    old = tmp_path / "tables" / "silver.gone.md"
    old.write_text("a table that was taken out")
    own = tmp_path / "terms-of-ours.md"
    own.write_text("written by a person")
    assert write(tmp_path, made, OWN_FOLDERS) == [old]
    assert not old.exists()
    assert own.exists()


def test_links_between_the_pages_lead_somewhere():
    pages_there = sorted(DOCS.rglob("*.md"))
    assert DOCS / "architecture.md" in pages_there
    for path in pages_there:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.relative_to(DOCS)}: {target}"


def test_the_map_names_every_folder_dag_and_page_that_it_speaks_of():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    project = DOCS.parent
    for outer in ("schemas", "pipelines", "models", "serving", "infra"):
        for folder in (each for each in (project / outer).iterdir() if any(each.glob("*.*"))):
            assert f"`{folder.name}`" in text, f"docs/architecture.md does not name {outer}/{folder.name}"
    dags = {path.stem for path in (project / "dags").glob("*.py")} - {"wiring"}
    assert dags == set(re.findall(r"`(\w+)`", "".join(_first_cells(text, "| DAG |")))), "the table of DAGs"
    for page in re.findall(r"\]\(([\w/.-]+\.md)\)", text):
        assert (DOCS / page).is_file(), page


def _first_cells(text: str, head: str) -> list[str]:
    """The first cell of each row of the table that begins so."""
    table = text[text.index(head) :].split("\n\n")[0].splitlines()[2:]
    return [line.split("|")[1] for line in table]
