"""CF-01: the kinds of file that a system owes are there."""

from __future__ import annotations

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.feed import Feed
from minefusion.schemas.exchange.grammar import kinds, record_columns
from minefusion.schemas.exchange.owed import owed, references


def kinds_present(feed: Feed) -> list[Found]:
    """Per mine: one kind of each that its families owe, the definitions of what is sent, and the values of what is
    defined."""
    checked, missing = 0, []
    for mine in feed.mines():
        files = feed.files.filter(pl.col("mine_code") == mine)
        present = set(files["named"].drop_nulls()) & set(kinds())
        told: set[tuple[str, ...]] = set()
        for wanted, zh, en in _wanted(feed, files, present):
            checked += 1
            if present & set(wanted) or wanted in told or any(set(wanted) & set(each) for each in told):
                continue
            told.add(wanted)
            names = "/".join(wanted)
            missing.append(
                {
                    "file": f"{mine}_{wanted[0]}_*.txt",
                    "mine_code": mine,
                    "kind": wanted[0],
                    "zh": f"没有{names}文件：{zh}",
                    "en": f"there is no {names} file: {en}",
                }
            )
    return [Found("CF-01", checked, pl.DataFrame(missing))]


def _wanted(feed: Feed, files: pl.DataFrame, present: set[str]) -> list[tuple[tuple[str, ...], str, str]]:
    """Kinds of which one must be there, and why."""
    found = []
    families = {kinds()[name].family for name in present}
    for debt in owed():
        if debt.family in families and _lasts(files, debt.kinds[0]):
            found.append((debt.kinds, debt.because_zh, debt.because_en))
    for each in references():
        if each.kind in present and _has_column(feed, each.kind, each.column):
            zh, en = f"它定义{each.kind}中的{each.column}", f"it defines {each.column} of {each.kind}"
            found.append((each.defined_in, zh, en))
    values: dict[tuple[str, ...], list[str]] = {}
    for each in references():
        if each.is_complete:
            values.setdefault(each.defined_in, []).append(each.kind)
    for defined_in, of_values in values.items():
        there = sorted(present & set(defined_in))
        if there:
            zh, en = f"{there[0]}所定义的测点没有数据", f"what {there[0]} defines has no values"
            # Vendor I sends its values under another name.
            also = ("SSSJ",) if "CDSS" in of_values else ()
            found.append(((*of_values, *also), zh, en))
    return found


def _lasts(files: pl.DataFrame, name: str) -> bool:
    """The feed is long enough for a file of a kind that sums up a period."""
    kind = kinds()[name]
    if kind.nature != "aggregate" or not kind.period_s:
        return True
    lasted = (files["at"] - files["at"].min()).dt.total_seconds().max()
    return isinstance(lasted, int | float) and lasted >= 2 * kind.period_s


def _has_column(feed: Feed, kind: str, column: str) -> bool:
    """One of the layouts that came has the column; where no record of the kind could be read, the main one."""
    there = [layout for layout in feed.layouts if layout[0] == kind] or [(kind, kinds()[kind].layouts[0].dialect)]
    return any(column in record_columns()[layout] for layout in there)
