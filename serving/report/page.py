"""The shift report as one HTML page: its head, the worst of the shift at a glance, then the sections."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from string import Template
from typing import Any

from minefusion.schemas.settings import Lang
from minefusion.serving.journal.head import Head
from minefusion.serving.report import levels, sections
from minefusion.serving.report.charts import stays, worst_of
from minefusion.serving.report.facts import Facts
from minefusion.serving.report.levels import marked, shape, tag
from minefusion.serving.report.markup import Text, both, escaped, lasting, number, quantity, same, share

ADVICE = Text(
    "本平台仅作监测、建议与记录，不控制设备，不替代经认证的安全监控系统闭锁。",
    "This platform advises and records. It controls nothing, and it does not replace the certified interlock.",
)
SIGNERS = (
    Text("填报人", "Filled in by"),
    Text("值班调度", "Dispatcher"),
    Text("带班矿领导", "Duty leader"),
    Text("复核", "Checked by"),
)


def render(
    facts: Facts,
    *,
    balance: Sequence[Mapping[str, Any]],
    index_names: sections.Names,
    made_at: datetime,
    journal: Head | None,
    lang: Lang,
) -> str:
    """The whole page; see `shift_report`."""
    package = files("minefusion.serving")
    tokens = package.joinpath("tokens.css").read_text("utf-8")
    style = package.joinpath("report", "report.css").read_text("utf-8")
    script = package.joinpath("report", "switch.js").read_text("utf-8")
    areas = sections.worst_first(facts)
    body = [
        _head(facts),
        "<main>",
        _band(facts),
        _tiles(facts, balance),
        sections.timeline(facts, areas),
        sections.all_subsystems(facts),
        sections.alarms(facts, index_names),
        sections.gas(facts),
        sections.people(facts, areas),
        sections.video(facts),
        sections.air(facts, areas),
        sections.data_quality(facts),
        sections.record_balance(balance),
        sections.limits(facts, index_names),
        _sign_off(facts, made_at, journal),
        "</main>",
    ]
    return Template(package.joinpath("report", "report.html").read_text("utf-8")).substitute(
        lang="en" if lang == "en" else "zh-CN",
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        title=escaped(f"{facts.mine.zh} {_span(facts)} {_title(facts).zh} · {_title(facts).en}"),
        style=tokens + style,
        sprite=levels.SPRITE,
        body="\n".join(body),
        script=script,
    )


def _title(facts: Facts) -> Text:
    return Text("调度日报", "Daily report") if facts.is_day else Text("调度班报", "Shift report")


def _span(facts: Facts) -> str:
    start, end = facts.local(facts.window.start), facts.local(facts.window.end)
    return f"{start:%Y-%m-%d %H:%M}–{end:%H:%M}"


def _head(facts: Facts) -> str:
    hours = Text(f"{facts.seconds / 3600:g} 小时", f"{facts.seconds / 3600:g} hours")
    shift = Text(facts.shift.name_zh, facts.shift.name_en) if facts.shift else hours
    zone = same(f" · UTC{facts.utc_offset_h:+g}")
    return (
        '<header class="top"><div class="brand">minefusion</div>'
        f"<h1>{both(_title(facts))}</h1>"
        f'<div class="mine"><strong>{both(facts.mine)}</strong><span>{escaped(facts.mine_code)}</span></div>'
        f'<div class="mine"><strong>{escaped(_span(facts))}</strong><span>{both(shift + zone)}</span></div>'
        '<div class="switch" role="group" aria-label="语言 · Language">'
        '<button type="button" data-lang="zh" aria-pressed="true" lang="zh-CN">中</button>'
        '<button type="button" data-lang="en" aria-pressed="false" lang="en">EN</button></div>'
        f'<button type="button" class="print" data-print>{both(Text("打印", "Print"))}</button>'
        f'<p class="advice">{both(ADVICE)}</p></header>'
    )


def _cell(title: str, *lines: str, cls: str = "") -> str:
    return f'<div class="{cls}"><h3>{title}</h3>{"".join(lines)}</div>'


def _band(facts: Facts) -> str:
    """Where, why, who and when, of the worst alarm; in a shift without one, what came closest to its limit."""
    if not facts.alarms:
        return _calm_band(facts)
    worst = facts.alarms[0]
    level, area, ended = worst["level"], facts.area(worst["area_id"]), worst["cleared_at"]
    tone = "x" if level is None else str(level)
    minutes = ((ended or facts.window.end) - worst["raised_at"]).total_seconds() / 60
    state = Text("未解除", "still active")
    if ended:
        state = Text("解除", "cleared") + same(f" {facts.local(ended):%H:%M:%S}")
    cap = "" if area.cap is None else f"<small> / {number(area.cap)}</small>"
    sentence = Text(worst["sentence_zh"] or "—", worst["sentence_en"] or "—")
    duration = Text("历时 ", "lasted ") + lasting(minutes) + same(" · ") + state
    return (
        f'<section class="band tone-{tone}" aria-label="最重一条 · The worst">'
        + _cell(
            f"{both(Text('哪里', 'Where'))} · {marked(level)}",
            f'<p class="big">{both(area.name)}</p>',
            f"<p>{escaped(worst['kind'])} · {escaped(worst['point_id'] or worst['area_id'])}</p>",
        )
        + _cell(
            both(Text("为什么", "Why")),
            f'<p class="value ink-{tone}">{escaped(quantity(worst["peak_value"], worst["unit"]))}</p>',
            f"<p>{both(sentence)}</p>",
            cls="why",
        )
        + _cell(
            both(Text("谁在 · 开始时", "Who · at its start")),
            f'<p class="value">{number(worst["people_in_area"])}{cap}</p>',
            f"<p>{both(Text('区域人数 / 核定', 'people in the area / cap'))}</p>",
        )
        + _cell(
            both(Text("何时", "When")),
            f'<p class="value">{facts.local(worst["raised_at"]):%H:%M:%S}</p>',
            f"<p>{both(duration)}</p>",
        )
        + "</section>"
    )


def _calm_band(facts: Facts) -> str:
    worst = max((level for area in facts.minutes if (level := worst_of(stays(facts, area))) is not None), default=None)
    nearest = next((row for row in facts.ranking if row["alarm"]), None)
    value, told = "—", Text("没有可用的瓦斯读数", "no usable methane reading")
    if nearest:
        value = quantity(nearest["highest"], nearest["unit"])
        limit = quantity(nearest["alarm"], nearest["unit"])
        told = same(f"{nearest['location'] or nearest['point_id']} · ") + Text(
            f"报警值 {limit}", f"alarm limit {limit}"
        )
    return (
        '<section class="band calm-band tone-0" aria-label="概况 · At a glance">'
        + _cell(
            f"{both(Text('最高等级', 'Worst level'))} · {marked(worst)}",
            f'<p class="big">{both(Text("无报警", "No alarm"))}</p>',
        )
        + _cell(
            both(Text("最接近报警值的瓦斯", "Methane closest to its alarm limit")),
            f'<p class="value">{escaped(value)}</p>',
            f"<p>{both(told)}</p>",
            cls="why",
        )
        + "</section>"
    )


def _tiles(facts: Facts, balance: Sequence[Mapping[str, Any]]) -> str:
    count = Counter(row["level"] for row in facts.alarms)
    by_level = "".join(f'<span class="count">{shape(level)}{number(count[level])}</span>' for level in (4, 3, 2, 1))
    highest = max(facts.ranking, key=lambda row: row["highest"], default=None)
    most = max((persons for _, persons in facts.underground), default=None)
    cap = "" if facts.underground_cap is None else f"<small> / {number(facts.underground_cap)}</small>"
    without = sum(any(stay.level is None for stay in stays(facts, area)) for area in facts.minutes)
    fails = sum(not row["ok"] for row in balance)
    holds = both(Text("平", "holds")) if not fails else tag(Text(f"{fails} 类不平", f"{fails} fail"), "legal")
    tiles = (
        (Text("报警：红、橙、黄、蓝", "Alarms: red, orange, yellow, blue"), by_level, _alarm_count(facts)),
        (
            Text("甲烷最高", "Highest methane"),
            escaped(quantity(highest["highest"], highest["unit"])) if highest else "—",
            same(highest["location"] or highest["point_id"]) if highest else same("—"),
        ),
        (
            Text("井下最多人数", "Most people underground"),
            number(most) + cap,
            Text("人 / 核定", "people / cap") if cap else Text("人", "people"),
        ),
        (
            Text("数据完整性", "Data completeness"),
            share(sections.completeness(facts.quality)),
            Text(f"{without} 个区域有数据不足的时段", f"{without} areas with spans of insufficient data"),
        ),
        (Text("记录平衡", "Record balance"), holds, Text(f"{len(balance)} 类文件", f"{len(balance)} file kinds")),
    )
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><h3>{both(name)}</h3><p class="value">{value}</p><p>{both(told)}</p></div>'
            for name, value, told in tiles
        )
        + "</div>"
    )


def _alarm_count(facts: Facts) -> Text:
    told, still = sum(map(sections.is_reported, facts.alarms)), sum(row["cleared_at"] is None for row in facts.alarms)
    found = len(facts.alarms) - told
    return Text(
        f"指标 {found} 条，矿方上报 {told} 条；未解除 {still}",
        f"{found} by indices, {told} reported by the mine; {still} still active",
    )


def _sign_off(facts: Facts, made_at: datetime, journal: Head | None) -> str:
    last = max((rows[-1]["minute"] for rows in facts.minutes.values()), default=None)
    data_until = f"{facts.local(last):%Y-%m-%d %H:%M}" if last else "—"
    stamp = f"{facts.local(made_at):%Y-%m-%d %H:%M:%S}"
    told = Text(f"生成于 {stamp} · 数据至 {data_until} · ", f"Made {stamp} · data until {data_until} · ") + ADVICE
    lines = "".join(f"<span>{both(name)} <i></i></span>" for name in SIGNERS)
    return f'<footer><div class="sign">{lines}</div><p>{both(told)}</p>{_journal(journal)}</footer>'


def _journal(head: Head | None) -> str:
    """The newest line of the journal, for people and for `minefusion journal verify --against`."""
    if head is None:
        return ""
    named = both(Text("操作日志", "Journal") + same(f" #{head.seq} · "))
    return f'<p data-journal="{head.seq}:{head.hash}">{named}<span class="code">{head.hash}</span></p>'
