"""Risk levels and confidence marks in words and shapes: never colour alone, never a bare number."""

from __future__ import annotations

from minefusion.serving.report.markup import Text, both

NORMAL, NO_DATA = 0, None

WORDS: dict[int | None, Text] = {
    4: Text("红·重大", "red, severe"),
    3: Text("橙·较大", "orange, high"),
    2: Text("黄·一般", "yellow, moderate"),
    1: Text("蓝·低", "blue, low"),
    NORMAL: Text("正常", "normal"),
    NO_DATA: Text("数据不足", "insufficient data"),
}
# One letter, where a bar is too short for the word.
LETTERS = {4: Text("红", "R"), 3: Text("橙", "O"), 2: Text("黄", "Y"), 1: Text("蓝", "B")}

CONFIDENCE = {
    "confirmed": Text("已核原文", "confirmed"),
    "inferred": Text("推断，待核", "inferred, to be checked"),
    "convention": Text("惯例值", "convention"),
    "advisory": Text("建议值", "advisory"),
    "mine": Text("矿方设定", "set by the mine"),
}
# What was not read in the rule itself is advice, and is called so wherever it is shown.
UNCERTAIN = ("inferred", "convention", "advisory")

# A shape for each level, on a 16-unit grid; orange and yellow carry their outline.
SPRITE = (
    '<svg width="0" height="0" class="sprite" aria-hidden="true" focusable="false"><defs>'
    '<symbol id="lv4" viewBox="0 0 16 16"><path class="s4" d="M8 .8 15.2 8 8 15.2 .8 8z"/></symbol>'
    '<symbol id="lv3" viewBox="0 0 16 16"><path class="s3" d="M8 1.4 15.2 14.4H.8z"/></symbol>'
    '<symbol id="lv2" viewBox="0 0 16 16"><circle class="s2" cx="8" cy="8" r="6.6"/></symbol>'
    '<symbol id="lv1" viewBox="0 0 16 16"><path class="s1" d="M1.8 1.8h12.4v12.4H1.8z"/></symbol>'
    '<symbol id="lv0" viewBox="0 0 16 16"><circle class="s0" cx="8" cy="8" r="4"/></symbol>'
    '<symbol id="lvx" viewBox="0 0 16 16"><circle class="sx" cx="8" cy="8" r="5.6"/></symbol>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="hatch" d="M0 0v6"/></pattern>'
    '<pattern id="hatch-quality" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="hatch-quality" d="M0 0v6"/></pattern>'
    "</defs></svg>"
)


def shape(level: int | None, size: int = 16) -> str:
    """The level's shape; the word stands beside it, so a reader of the page need not hear it twice."""
    name = "lvx" if level is None else f"lv{level}"
    return f'<svg class="shape" width="{size}" height="{size}" aria-hidden="true"><use href="#{name}"/></svg>'


def marked(level: int | None) -> str:
    """Shape and word."""
    tone = "x" if level is None else str(level)
    return f'<span class="level ink-{tone}">{shape(level)}{both(WORDS[level])}</span>'


def tag(text: Text, kind: str = "") -> str:
    return f'<span class="tag {kind}">{both(text)}</span>'


def confidence(mark: str | None) -> str:
    """How sure a limit is."""
    if mark is None:
        return "—"
    words = CONFIDENCE.get(mark, Text(mark, mark))
    if mark in UNCERTAIN and mark != "advisory":
        words = Text(f"建议值（{words.zh}）", f"advisory ({words.en})")
    return tag(words, "advisory" if mark in UNCERTAIN else "")
