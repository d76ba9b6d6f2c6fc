"""Write docs/indices/ from the declarations of the hazard indices: `python -m minefusion.pipelines.hazard.pages`.

One page an index: its formula, what it reads, where its levels begin, what happens at the edges, and what it looks like
over the scenario that drives it. The pictures are drawn by `make pictures`, which runs the scenarios.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from minefusion.pipelines.hazard.catalogue import INDICES, TREND_IDS
from minefusion.pipelines.hazard.rows import Index
from minefusion.schemas.docs import code, grid, page, write
from minefusion.schemas.levels import NAMES, Steps, all_steps

FOLDER = "indices"
PICTURES = "pictures"  # inside that folder
SUBJECTS = {
    "G": "瓦斯 · Gas",
    "F": "火灾 · Fire",
    "V": "通风 · Ventilation",
    "T": "有毒气体 · Toxic gas",
    "H": "热害 · Heat",
    "R": "矿压与冲击地压 · Rock",
    "W": "水害 · Water",
    "S": "边坡与尾矿库 · Slope and tailings",
    "E": "设备 · Equipment",
    "P": "人员 · People",
    "X": "综合 · Composite",
}
LEVELS = {"blue": "1 蓝 blue", "yellow": "2 黄 yellow", "orange": "3 橙 orange", "red": "4 红 red"}
_MAY = {"set": "set its own", "tighten": "only tighten it", "nothing": "not change it"}
_SIGNS = {">=": "≥", "<=": "≤"}
# Levels that were not read in the rule itself are never shown as law.
_ADVISORY = ("inferred", "convention", "advisory")


def pages(drawn: Collection[str]) -> dict[str, str]:
    """Every page by its path inside docs/. `drawn`: ids of the indices that have a picture."""
    made = {f"{FOLDER}/{index.id}.md": index_page(index, index.id in drawn) for index in INDICES}
    made[f"{FOLDER}/README.md"] = overview()
    return made


def overview() -> str:
    """All indices by subject."""
    parts = [
        f"{len(INDICES)} hazard indices. Each gives a value, a level from 0 (normal) to 4 (red) and a sentence, per "
        "place and window, in [gold.hazard_index](../tables/gold.hazard_index.md). Where an input is missing the value "
        "is null with the reason. Levels that were not read in the rule itself are **advisory**."
    ]
    for letter, title in SUBJECTS.items():
        rows = [
            (f"[{index.id}]({index.id}.md)", index.name_zh, index.name_en, index.unit, _window(index), index.confidence)
            for index in INDICES
            if index.id.startswith(letter)
        ]
        if rows:
            parts += [f"## {title}", grid(("id", "中文", "English", "unit", "window", "levels are"), rows)]
    return page("灾害指标 · Hazard indices", *parts)


def index_page(index: Index, is_drawn: bool) -> str:
    """What one index says, from what, and since when it is dangerous."""
    facts = [
        ("unit", index.unit or "differs by row"),
        ("window", _window(index)),
        ("source", index.source),
        ("levels are", _confidence(index.confidence)),
    ]
    parts = [index.doc, grid(("", ""), facts)]
    if index.formula:
        parts += ["## 公式 · Formula", f"$$\n{index.formula}\n$$"]
    if index.reads:
        parts += ["## 输入 · Inputs", _listed(index.reads)]
    parts += ["## 分级 · Levels", _levels(index)]
    if index.edges:
        parts += ["## 边界情形 · At the edges", _listed(index.edges)]
    if index.scenario:
        plant, _, scenario = index.scenario.rpartition(":")
        command = f"`minefusion simulate {plant or 'mine'} --scenario {scenario}`"
        told = f"{command} drives it to level 2 or more."
        if index.without_scenario:
            told = f"{index.without_scenario} The picture is of {command}."
        picture = f"\n\n![{index.id} over the scenario {index.scenario}]({PICTURES}/{index.id}.svg)" if is_drawn else ""
        parts += ["## 场景 · Scenario", told + picture]
    return page(f"{index.id} {index.name_zh} · {index.name_en}", *parts)


def _levels(index: Index) -> str:
    steps = [each for each in all_steps() if each.index_id == index.id]
    if not steps:
        return index.without_steps
    names = [name for name in NAMES if any(getattr(each, name) is not None for each in steps)]
    rows = [
        (
            code(each.scope) if each.scope else "all",
            *(_step(each, name) for name in names),
            each.unit or "",
            f"{each.source}{f'; {each.note}' if each.note else ''}",
            _confidence(each.confidence),
            _MAY[each.mine_may],
        )
        for each in steps
    ]
    head = ("scope", *(LEVELS[name] for name in names), "unit", "source", "is", "a mine may")
    return grid(head, rows) + "\n\nA mine sets its own in its site file (`levels`)."


def _step(steps: Steps, name: str) -> str:
    value = getattr(steps, name)
    return "" if value is None else f"{_SIGNS.get(steps.comparison, steps.comparison)} {value:g}"


def _confidence(mark: str) -> str:
    return f"**advisory** ({mark})" if mark in _ADVISORY and mark != "advisory" else mark


def _window(index: Index) -> str:
    if index.id in TREND_IDS:
        return f"{index.minutes / 60:g} h, over up to 31 days of data"
    return f"{index.minutes} min"


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def drawn_in(docs: Path) -> set[str]:
    """Indices that have a picture."""
    return {path.stem for path in (docs / FOLDER / PICTURES).glob("*.svg")}


def main() -> None:
    docs = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    made = pages(drawn_in(docs))
    touched = write(docs, made, (FOLDER,))
    print(f"{len(made)} pages in {docs / FOLDER}, {len(touched)} changed")


if __name__ == "__main__":
    main()
