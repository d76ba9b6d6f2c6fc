"""The conformance report: the answer at a glance, every clause in a table, and each violation with file and way out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from string import Template
from typing import Any

from minefusion.schemas.settings import Lang
from minefusion.serving.report.levels import confidence, tag
from minefusion.serving.report.markup import Text, both, columns, escaped, number, same, table

ADVICE = Text(
    "本报告核对文件的写法、时间和数值，不是合规证明；标为“惯例值”“推断”的条款由本平台设定或待核原文。",
    "This report checks form, times and values. It certifies nothing; clauses marked convention or inferred are this "
    "platform's own or still to be checked against the standard.",
)
DIMENSIONS = {
    "standardness": Text("规范性", "standardness"),
    "completeness": Text("完整性", "completeness"),
    "accuracy": Text("准确性", "accuracy"),
    "consistency": Text("一致性", "consistency"),
    "timeliness": Text("及时性", "timeliness"),
    "uniqueness": Text("唯一性", "uniqueness"),
    "accessibility": Text("可访问性", "accessibility"),
}
KEPT, BROKEN, UNCHECKED = Text("符合", "kept"), Text("不符合", "not kept"), Text("无可查", "nothing to check")


def conformance_page(result: Mapping[str, Any], *, folder: str, made_at: datetime, lang: Lang = "zh") -> str:
    """The whole page.

    Args:
        result: the document that `minefusion conform --output json` prints.
        folder: name of the folder that was checked.
    """
    package = files("minefusion.serving")
    script = package.joinpath("report", "switch.js").read_text("utf-8")
    style = "".join(
        package.joinpath(*path).read_text("utf-8")
        for path in (("tokens.css",), ("report", "report.css"), ("conformance", "conformance.css"))
    )
    clauses = result["clauses"]
    body = [
        _head(result, folder),
        "<main>",
        _band(result),
        _overview(clauses),
        *(_violations(clause) for clause in clauses if not clause["ok"]),
        f"<footer><p>{both(Text('生成于 ', 'Made ') + same(f'{made_at:%Y-%m-%d %H:%M} UTC'))}</p></footer>",
        "</main>",
    ]
    return Template(package.joinpath("report", "report.html").read_text("utf-8")).substitute(
        lang="en" if lang == "en" else "zh-CN",
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        title=escaped(f"{folder} · 规范符合性 · conformance"),
        style=style,
        sprite="",
        body="\n".join(body),
        script=script,
    )


def _head(result: Mapping[str, Any], folder: str) -> str:
    mines = ", ".join(result["mines"]) or "—"
    told = Text(
        f"{result['files']} 个文件，{result['records']} 条记录", f"{result['files']} files, {result['records']} records"
    )
    return (
        '<header class="top"><div class="brand">minefusion</div>'
        f"<h1>{both(Text('规范符合性', 'Conformance'))}</h1>"
        f'<div class="mine"><strong>{escaped(folder)}</strong><span>{both(told)}</span></div>'
        f'<div class="mine"><strong>{escaped(mines)}</strong><span>{both(Text("煤矿", "mine"))}</span></div>'
        '<div class="switch" role="group" aria-label="语言 · Language">'
        '<button type="button" data-lang="zh" aria-pressed="true" lang="zh-CN">中</button>'
        '<button type="button" data-lang="en" aria-pressed="false" lang="en">EN</button></div>'
        f'<button type="button" class="print" data-print>{both(Text("打印", "Print"))}</button>'
        f'<p class="advice">{both(ADVICE)}</p></header>'
    )


def _band(result: Mapping[str, Any]) -> str:
    """Whether all is in order; else the clause with the most violations."""
    clauses = result["clauses"]
    broken = [clause for clause in clauses if not clause["ok"]]
    checked = [clause for clause in clauses if clause["checked"]]
    counts = (
        f"<div><h3>{both(Text('条款', 'Clauses'))}</h3>"
        f'<p class="value">{number(len(checked) - len(broken))}<small> / {number(len(checked))}</small></p>'
        f"<p>{both(Text('符合 / 已查', 'kept / checked'))}</p></div>"
    )
    if not broken:
        return (
            '<section class="band conformance tone-0" aria-label="结论 · Answer">'
            f"<div><h3>{both(Text('结论', 'Answer'))}</h3>"
            f'<p class="big">{both(Text("全部符合", "Everything is kept"))}</p></div>{counts}</section>'
        )
    answer = Text(f"{len(broken)} 条不符合", f"{len(broken)} clauses are not kept")
    worst = max(broken, key=lambda clause: clause["violations"])
    title, most = Text(worst["title_zh"], worst["title_en"]), worst["violations"]
    return (
        '<section class="band conformance tone-x" aria-label="结论 · Answer">'
        f"<div><h3>{both(Text('结论', 'Answer'))}</h3>"
        f'<p class="big">{both(answer)}</p></div>'
        f"{counts}"
        f"<div><h3>{both(Text('不符最多', 'Most violations'))}</h3>"
        f'<p class="big">{escaped(worst["clause"])} {both(title)}</p>'
        f"<p>{both(Text(f'{most} 处', f'{most} violations'))}</p></div></section>"
    )


def _overview(clauses: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            _link(clause),
            f"<strong>{both(Text(clause['title_zh'], clause['title_en']))}</strong><br>"
            f"<small>{both(Text(clause['check_zh'], clause['check_en']))}</small>",
            both(DIMENSIONS[clause["dimension"]]),
            number(clause["checked"]),
            number(clause["violations"]),
            _state(clause),
            f"{confidence(clause['confidence'])}<br><small>{escaped(clause['source'])}</small>",
        ]
        for clause in clauses
    ]
    head = columns(
        "条款|Clause", "内容|What it asks", "维度|Dimension", "检查|Checked", "不符|Violations", "结果|Result",
        "出处|Source",
    )  # fmt: skip
    title = Text("逐条结果", "Clause by clause")
    sheet = table(head, rows, numeric=(3, 4), cls="clauses")
    return f'<section class="pane"><header><h2>{both(title)}</h2></header>{sheet}</section>'


def _link(clause: Mapping[str, Any]) -> str:
    name = f'<span class="code">{escaped(clause["clause"])}</span>'
    return name if clause["ok"] else f'<a href="#{escaped(clause["clause"])}">{name}</a>'


def _state(clause: Mapping[str, Any]) -> str:
    if not clause["ok"]:
        return tag(BROKEN, "legal")
    return tag(KEPT) if clause["checked"] else f"<small>{both(UNCHECKED)}</small>"


def _violations(clause: Mapping[str, Any]) -> str:
    rows = [
        [
            f'<span class="file">{escaped(example["file"])}</span>',
            number(example["record"]),
            escaped(example["entity"] or "—"),
            both(Text(example["problem_zh"], example["problem_en"])),
            both(Text(example["mend_zh"], example["mend_en"])),
        ]
        for example in clause["examples"]
    ]
    head = columns("文件|File", "记录|Record", "对象|Entity", "问题|What is wrong", "处理|What to do")
    count, shown = clause["violations"], len(clause["examples"])
    aside = Text(f"{count} 处", f"{count} violations")
    if shown < count:
        aside += Text(f"，示前 {shown} 处", f", the first {shown} shown")
    title = same(f"{clause['clause']} ") + Text(clause["title_zh"], clause["title_en"])
    return (
        f'<section class="pane" id="{escaped(clause["clause"])}"><header><h2>{both(title)}</h2>'
        f'<span class="aside">{both(aside)}</span></header>'
        f'<p class="note">{both(Text(clause["check_zh"], clause["check_en"]))}</p>'
        f"{table(head, rows, numeric=(1,))}</section>"
    )
