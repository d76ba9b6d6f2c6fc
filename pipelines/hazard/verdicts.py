"""What all indices together say of one area in one hour: the worst of them, all combined, and who is there.

The tier is the worst legal level or, where that is lower, what the findings come to together (X-06), raised by a
critical signal or a sudden rise (X-09). No mean is taken anywhere. Under 60 % of the indices known there is no tier,
unless what is known is serious: not known is never green, and never hides what is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from minefusion.pipelines.hazard.evidence import Mass, combined_all, discounted, noisy_or, normalised, probability
from minefusion.pipelines.hazard.rows import LEVEL_EN, LEVEL_ZH, NORMAL, ORANGE, RED
from minefusion.schemas.facts import rows
from minefusion.schemas.levels import Steps, all_steps, steps_of

# Under this share of known indices an area has no tier.
ENOUGH = 0.6
# Prior probability that an hour of an area sees the accident of a group: our own start value.
PRIOR = 0.01
# Findings of one group rest on the same air and the same sensors: half of each counts as new.
SHRINKING = 0.5
# Letter of the group that rules of a pack count in.
OF_RULES = "E"
# Bases of a tier, the strongest first, with what a reader is told.
BASES = {
    "legal": ("法定限值", "legal limit"),
    "critical": ("关键信号", "critical signal"),
    "sudden": ("突变", "sudden rise"),
    "combined": ("综合", "findings together"),
    "insufficient_data": ("数据不足", "insufficient data"),
}


@dataclass(frozen=True)
class Group:
    """A group of hazards: those of one letter of the catalogue. `importance` 1 to 9, an own start value."""

    name: str
    letter: str
    zh: str
    en: str
    importance: float


@cache
def groups() -> dict[str, Group]:
    """Letter → its group."""
    listed = (
        Group(str(row["group"]), str(row["letter"]), str(row["zh"]), str(row["en"]), float(row["importance"] or 0))
        for row in rows("risk_groups")
    )
    return {group.letter: group for group in listed}


@dataclass(frozen=True)
class Finding:
    """The worst that one index says of an area in an hour; `level` is null where it is not known."""

    index_id: str
    level: int | None
    value: float | None
    coverage: float
    is_legal: bool
    sentence_zh: str
    sentence_en: str

    @property
    def group(self) -> Group:
        """That of the index's letter; a rule of a pack (`HP-006`) speaks of the plant's equipment."""
        return groups().get(self.index_id.partition("-")[0], groups()[OF_RULES])

    @property
    def share(self) -> float:
        """The finding on the scale from 0 to 1 (X-01); 0 below blue, so that many normals never make a risk."""
        if not self.level:
            return 0.0
        if self.level == RED:
            return 1.0
        floor = self.level / RED
        steps = _steps_for_all(self.index_id)
        if steps is None or self.value is None:
            return floor
        ladder = (steps.blue, steps.yellow, steps.orange, steps.red)
        first = next((step for step in ladder if step is not None), self.value)
        return min(max(normalised(self.value, first, ladder), floor), floor + 0.249)


@cache
def _steps_for_all(index_id: str) -> Steps | None:
    """The steps of an index that hold everywhere; null where they depend on place or machine."""
    return next((steps for steps in all_steps() if (steps.index_id, steps.scope) == (index_id, "")), None)


@dataclass(frozen=True)
class Verdict:
    """An area in an hour.

    Attributes:
        findings: the worst of each index.
        earlier: level that each index had in the hour before; indices that it did not have are left out.
        weights: group → weight of its findings, the heaviest 1.
    """

    findings: Sequence[Finding]
    earlier: Mapping[str, int]
    weights: Mapping[str, float]

    @cached_property
    def known(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level is not None]

    @property
    def completeness(self) -> float:
        return len(self.known) / len(self.findings) if self.findings else 0.0

    @cached_property
    def by_group(self) -> dict[str, float]:
        """Group → its largest share."""
        shares: dict[str, float] = {}
        for finding in self.known:
            shares[finding.group.name] = max(shares.get(finding.group.name, 0.0), finding.share)
        return shares

    @property
    def score(self) -> float:
        """Noisy-OR over the groups (X-06)."""
        return round(noisy_or(self.weights.get(group, 1.0) * share for group, share in self.by_group.items()), 9)

    @property
    def combined_level(self) -> int:
        return level_of("X-06", "", self.score)

    @property
    def legal_level(self) -> int | None:
        return max((finding.level or 0 for finding in self.known if finding.is_legal), default=None)

    @property
    def critical(self) -> tuple[int, list[str]]:
        """Level that single critical signals set at least, and the indices that do (X-09)."""
        named = {steps.scope: steps for steps in all_steps() if steps.index_id == "X-09" and steps.scope != "sudden"}
        found: dict[str, int] = {}
        for finding in self.known:
            for steps in (named["any"], named.get(finding.index_id)):
                if steps is not None:
                    level = level_by(steps, float(finding.level or 0))
                    found[finding.index_id] = max(found.get(finding.index_id, NORMAL), level)
        return _worst(found)

    @property
    def sudden(self) -> tuple[int, list[str]]:
        """The same of indices that rose by several levels within the hour."""
        rises = {
            finding.index_id: (finding.level or 0) - self.earlier[finding.index_id]
            for finding in self.known
            if finding.index_id in self.earlier
        }
        return _worst({index: level_of("X-09", "sudden", float(rise)) for index, rise in rises.items()})

    def tier(self) -> tuple[int | None, str, list[str]]:
        """Tier, its basis and the indices that decide it, the worst first."""
        legal = [finding for finding in self.known if finding.is_legal]
        critical, signals = self.critical
        sudden, risen = self.sudden
        worst = [finding.index_id for finding in self.worst_first if finding.level]
        candidates = [
            (self.legal_level or NORMAL, "legal", [finding.index_id for finding in self._sorted(legal)]),
            (critical, "critical", signals),
            (sudden, "sudden", risen),
            (self.combined_level, "combined", worst),
        ]
        tier, basis, decided_by = max(candidates, key=lambda each: each[0])
        if self.completeness < ENOUGH and tier < ORANGE:
            return None, "insufficient_data", []
        return tier, basis if tier else "combined", decided_by if tier else []

    @property
    def worst_first(self) -> list[Finding]:
        return self._sorted(self.known)

    @staticmethod
    def _sorted(findings: Sequence[Finding]) -> list[Finding]:
        return sorted(findings, key=lambda each: (-(each.level or 0), -each.share, each.index_id))

    def belief(self) -> tuple[str, Mass, float] | None:
        """Evidence within the group that has the most, of groups with two findings or more (X-04): group, mass, K."""
        most = next(steps.red for steps in steps_of("X-04") if steps.scope == "conflict")
        best: tuple[str, Mass, float] | None = None
        for name, findings in self._groups_of_several().items():
            sources = [discounted(finding.share, min(finding.coverage, 0.95)) for finding in findings]
            mass, conflict = combined_all(sources, most or 1.0)
            if best is None or mass.abnormal > best[1].abnormal:
                best = (name, mass, conflict)
        return best

    def probability(self) -> tuple[str, float] | None:
        """The same by log-odds (X-05): group and probability. Not calibrated on accidents, which are too rare."""
        ratios = next(steps for steps in steps_of("X-05") if steps.scope == "likelihood_ratio")
        of_level = (0.5, ratios.blue, ratios.yellow, ratios.orange, ratios.red)
        best: tuple[str, float] | None = None
        for name, findings in self._groups_of_several().items():
            said = [of_level[finding.level or 0] or 1.0 for finding in findings]
            found = probability(PRIOR, said, SHRINKING)
            if best is None or found > best[1]:
                best = (name, found)
        return best

    def _groups_of_several(self) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        for finding in self.known:
            found.setdefault(finding.group.name, []).append(finding)
        return {name: findings for name, findings in found.items() if len(findings) > 1}

    def sentences(self, place_zh: str, place_en: str, people: int | None) -> tuple[str, str]:
        """Why this tier, in both languages: what decides, the worst finding, who is there."""
        tier, basis, decided_by = self.tier()
        basis_zh, basis_en = BASES[basis]
        if tier is None:
            share = f"{100 * self.completeness:.0f} %"
            return (
                f"{place_zh}：{basis_zh}，仅 {share} 的指标已知，无法评定。",
                f"{place_en}: {basis_en}, only {share} of the indices are known; no tier.",
            )
        worst = next((finding for finding in self.worst_first if finding.index_id in decided_by), None)
        why_zh = f"（{basis_zh}）；{worst.sentence_zh.rstrip('。')}" if worst else ""
        why_en = f" ({basis_en}); {worst.sentence_en.rstrip('.')}" if worst else ""
        who_zh = "" if people is None else f"；区域内最多 {people} 人"
        who_en = "" if people is None else f"; up to {people} people there"
        return (
            f"{place_zh}：{LEVEL_ZH[tier]}{why_zh}{who_zh}。",
            f"{place_en}: {LEVEL_EN[tier]}{why_en}{who_en}.",
        )


def level_by(steps: Steps, value: float) -> int:
    """Level of a value by one set of steps in which more is worse."""
    reached = (lambda step: value > step) if steps.comparison == ">" else (lambda step: value >= step)
    ladder = (steps.blue, steps.yellow, steps.orange, steps.red)
    return max((level for level, step in enumerate(ladder, 1) if step is not None and reached(step)), default=NORMAL)


def level_of(index_id: str, scope: str, value: float) -> int:
    """The same by the listed steps of an index and scope."""
    return level_by(next(steps for steps in steps_of(index_id) if steps.scope == scope), value)


def _worst(levels: Mapping[str, int]) -> tuple[int, list[str]]:
    worst = max(levels.values(), default=NORMAL)
    return worst, sorted(index for index, level in levels.items() if level == worst) if worst else []


def findings_of(facts: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Findings, in order of index, from rows with index_id, level, value, coverage, legal and both sentences."""
    return [
        Finding(
            row["index_id"],
            row["level"],
            row["value"],
            row["coverage"] or 0.0,
            bool(row["legal"]),
            row["sentence_zh"],
            row["sentence_en"],
        )
        for row in sorted(facts, key=lambda row: row["index_id"] or "")
        if row["index_id"] is not None
    ]
