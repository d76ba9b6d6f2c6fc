"""What the other views draw over their rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from minefusion.serving.alarms.kpi import TARGETS, kpis
from minefusion.serving.analyst.drawings import Bar, Cell, Lane, bars, count_tone, matrix, share_tone
from minefusion.serving.analyst.shown import Shown, note
from minefusion.serving.report.markup import Text, both, columns, escaped, lasting, number, same, share, table

HOUR = timedelta(hours=1)


def people(shown: Shown) -> str:
    """Most people by area and span, darker the nearer to the cap."""
    lanes = []
    for (area_id,), rows in shown.frame.partition_by("area_id", as_dict=True, maintain_order=True).items():
        cells = []
        for row in rows.iter_rows(named=True):
            told = f"{row['most']} / {'—' if row['cap'] is None else row['cap']}"
            tone = count_tone(row["most"], row["cap"])
            cells.append(Cell(row["begin"], row["end"], tone, same(row["most"]), told))
        zh, en = rows["area_zh"][0], rows["area_en"][0]
        lanes.append(Lane(Text(zh or str(area_id), en or str(area_id)), cells))
    return _matrix(shown, lanes)


def completeness(shown: Shown) -> str:
    """Completeness by dataset and hour, darker the more is missing."""
    lanes = []
    for (dataset,), rows in shown.frame.partition_by("dataset", as_dict=True, maintain_order=True).items():
        cells = []
        for row in rows.iter_rows(named=True):
            told = share(row["completeness"])
            cells.append(Cell(row["hour"], row["hour"] + HOUR, share_tone(row["completeness"]), None, told))
        lanes.append(Lane(same(dataset), cells))
    return _matrix(shown, lanes)


def errors(shown: Shown) -> str:
    """Error of each horizon, with persistence's as the thin bar beneath."""
    rows = []
    for row in shown.frame.iter_rows(named=True):
        name = same(f"{row['model']} {row['model_version'] or ''} · {row['horizon_min']} min")
        mae, persistence = row["mae_pct"], row["persistence_mae_pct"]
        rows.append(Bar(name, mae, persistence, f"{number(mae, 3)} / {number(persistence, 3)} %"))
    told = "粗：模型平均绝对误差；细：持续性（最后良值）|thick: the model's mean absolute error; thin: persistence's"
    return f"<figure>{bars(rows, 'view')}{note(told)}</figure>" if rows else ""


def alarm_load(shown: Shown) -> str:
    """Alarms by hour against the target, and what made the most of them in the whole span."""
    target = TARGETS["per_hour"]
    rows = [
        Bar(same(row["month"]), row["per_hour"], target, f"{number(row['per_hour'], 2)} / {target:g} h⁻¹")
        for row in shown.frame.iter_rows(named=True)
    ]
    asked, local = shown.asked, shown.source.clock.local
    found = kpis(shown.source.alarms(asked.begin, asked.end), asked.begin, asked.end)
    top = [[escaped(each["tag"]), number(each["alarms"]), share(each["share"])] for each in found["top_ten"]]
    floods = [
        [f"{local(each['from']):%m-%d %H:%M}", f"{local(each['to']):%m-%d %H:%M}", number(each["alarms"])]
        for each in found["floods"]
    ]
    took = [
        [escaped(name), number(each["count"]), both(lasting(each["p50"] / 60)), both(lasting(each["p95"] / 60))]
        for name, each in found["acknowledge_s"].items()
    ]
    told = (
        "粗：每小时报警；细：目标（指南常用值，非法定）|thick: alarms by hour; thin: the guides' usual target, no law"
    )
    return (
        f"<figure>{bars(rows, 'view')}{note(told)}</figure>"
        + _listed("报警最多的前十项|Top ten", ("来源|Source", "报警|Alarms", "占比|Share"), top)
        + _listed("洪峰|Floods", ("起|From", "止|To", "报警|Alarms"), floods)
        + _listed("确认用时|Time to acknowledge", ("类别|Class", "条数|Count", "中位|p50", "95 分位|p95"), took)
        + f"<h3>{both(Text('各月', 'By month'))}</h3>"
    )


def _listed(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = table(columns(*names), rows, numeric=range(1, len(names))) if rows else note("没有。|None.")
    return f"<h3>{both(Text(*title.split('|')))}</h3>{body}"


def _matrix(shown: Shown, lanes: Sequence[Lane]) -> str:
    if not lanes:
        return ""
    return f"<figure>{matrix(lanes, shown.asked.begin, shown.asked.end, shown.source.clock, 'view')}</figure>"
