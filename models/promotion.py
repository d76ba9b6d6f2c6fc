"""When a newly trained model becomes the champion: only where it is better everywhere than what there is.

Scores are losses, lower is better, under the same names for all sides: `MM116 3 min`, `brier`. All sides were scored
on the same newest rows, which none of them was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minefusion.schemas.errors import InputError

Losses = Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger takes the champion's place, and why."""

    is_promoted: bool
    why_zh: str
    why_en: str


def judge(challenger: Losses, champion: Losses | None, doing_without: Losses, *, named: str) -> Verdict:
    """Compare at every name; a tie is no win.

    Args:
        champion: None where there is none yet.
        doing_without: losses of the simplest answer.
        named: what that answer is called: `persistence`.

    Raises:
        InputError: the sides were not scored under the same names, or a loss is no number.
    """
    sides = [("champion", champion)] if champion is not None else []
    lost = []
    for name, other in (*sides, (named, doing_without)):
        if set(other) != set(challenger) or not challenger:
            raise InputError(
                f"expected losses of {name} under {', '.join(sorted(challenger)) or 'some name'}, "
                f"got {', '.join(sorted(other))}; score all on the same rows"
            )
        lost += [(key, challenger[key], name, other[key]) for key in challenger if not challenger[key] < other[key]]
    against = " + ".join(name for name, _ in (*sides, (named, doing_without)))
    if not lost:
        return Verdict(
            True,
            f"在全部 {len(challenger)} 项上优于 {against}",
            f"better than {against} in all {len(challenger)} scores",
        )
    key, own, rival, theirs = max(lost, key=lambda each: each[1] - each[3])
    zh = f"{len(lost)} 项不优于对手；最差：{key}，{own:.4g}，{rival} 为 {theirs:.4g}"
    en = f"not better in {len(lost)} scores; the worst: {key}, {own:.4g} against {theirs:.4g} of {rival}"
    return Verdict(False, zh, en)
