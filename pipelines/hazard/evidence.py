"""How several findings about one place become one: normalisation, weights, and rules of combination (X-01 … X-07).

Plain numbers in, plain numbers out. A weighted mean is not here: it hides a single red.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# Normalised values at which blue, yellow, orange and red begin.
ANCHORS = (0.25, 0.5, 0.75, 1.0)
# Random index of a comparison matrix with 1, 2, 3 … rows (Saaty); one or two rows are always consistent.
RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)
# A likelihood ratio beyond these is not believed.
LEAST_RATIO, MOST_RATIO = 0.05, 20.0


def normalised(value: float, normal: float, steps: Sequence[float | None]) -> float:
    """A value on the scale from 0 (normal) to 1 (red), straight between the anchors of the four colours (X-01).

    Args:
        normal: value that is no risk at all.
        steps: where blue, yellow, orange and red begin, rising or falling with the danger; null: no such step.
    """
    known = [(anchor, step) for anchor, step in zip(ANCHORS, steps, strict=True) if step is not None]
    if not known:
        return 0.0
    sign = 1.0 if known[-1][1] >= normal else -1.0
    places = [sign * normal, *(sign * step for _, step in known)]
    return float(np.interp(sign * value, places, [0.0, *(anchor for anchor, _ in known)]))


@dataclass(frozen=True)
class Weights:
    """Weights of a comparison: they sum to 1. `ratio` is the consistency ratio CR = CI/RI, `largest` λ_max."""

    values: tuple[float, ...]
    largest: float
    ratio: float


def weights_by_comparison(matrix: Matrix) -> Weights:
    """Analytic hierarchy (X-02): the principal eigenvector of a matrix of pairwise comparisons (n × n, a_ij = 1/a_ji).

    CI = (λ_max − n)/(n − 1); CR = CI/RI. A ratio over 0.1 says that the comparisons contradict each other.
    """
    size = len(matrix)
    values, vectors = np.linalg.eig(matrix)
    first = int(np.argmax(values.real))
    vector = np.abs(vectors[:, first].real)
    largest = float(values[first].real)
    random = RANDOM_INDEX[min(size, len(RANDOM_INDEX)) - 1]
    ratio = (largest - size) / (size - 1) / random if random else 0.0
    return Weights(tuple((vector / vector.sum()).tolist()), largest, max(ratio, 0.0))


def entropies(table: Matrix) -> Matrix:
    """Entropy of each column of non-negative values (m × n): e_j = −Σ p·ln p / ln m; 1 where a column says nothing."""
    sums = table.sum(axis=0)
    shares = np.divide(table, sums, out=np.zeros_like(table), where=sums > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    found = -(shares * logs).sum(axis=0) / math.log(len(table))
    return np.where(sums > 0, found, 1.0)


def weights_by_entropy(table: Matrix) -> Matrix:
    """Entropy weights (X-03): w_j = (1 − e_j)/Σ(1 − e); a constant or empty column weighs nothing.

    Where no column says anything all weigh the same.
    """
    unlike = np.clip(1.0 - entropies(table), 0.0, None)
    unlike[np.ptp(table, axis=0) == 0] = 0.0
    total = unlike.sum()
    return unlike / total if total > 0 else np.full(table.shape[1], 1.0 / table.shape[1])


def weights_together(by_comparison: Matrix, by_entropy: Matrix, alpha: float = 0.5) -> Matrix:
    """w ∝ w_AHP^α · w_entropy^(1 − α), to sum 1; the comparison alone where they have nothing in common."""
    both = by_comparison**alpha * by_entropy ** (1.0 - alpha)
    total = both.sum()
    return both / total if total > 0 else by_comparison


@dataclass(frozen=True)
class Mass:
    """Belief in "abnormal", in "normal", and what is left to not knowing; they sum to 1."""

    abnormal: float
    normal: float
    unknown: float


def discounted(share: float, reliability: float) -> Mass:
    """What a source of this reliability says that finds the abnormal with this share (both 0 to 1)."""
    return Mass(reliability * share, reliability * (1.0 - share), 1.0 - reliability)


def combined(first: Mass, second: Mass) -> tuple[Mass, float]:
    """Dempster's rule for two sources (X-04), and the conflict K between them."""
    conflict = first.abnormal * second.normal + first.normal * second.abnormal
    rest = 1.0 - conflict
    if rest <= 0.0:
        return Mass(0.0, 0.0, 1.0), 1.0
    abnormal = first.abnormal * (second.abnormal + second.unknown) + first.unknown * second.abnormal
    normal = first.normal * (second.normal + second.unknown) + first.unknown * second.normal
    return Mass(abnormal / rest, normal / rest, first.unknown * second.unknown / rest), conflict


def combined_all(sources: Sequence[Mass], most_conflict: float) -> tuple[Mass, float]:
    """All sources together; where two conflict more than `most_conflict`, their average combined with itself (Murphy).

    Returns the mass and the largest conflict met.
    """
    whole, worst = sources[0], 0.0
    for source in sources[1:]:
        whole, conflict = combined(whole, source)
        worst = max(worst, conflict)
    if worst <= most_conflict:
        return whole, worst
    count = len(sources)
    average = Mass(
        *(sum(getattr(each, name) for each in sources) / count for name in ("abnormal", "normal", "unknown"))
    )
    whole = average
    for _ in range(count - 1):
        whole, _ = combined(whole, average)
    return whole, worst


def probability(prior: float, ratios: Iterable[float], shrinking: float = 1.0) -> float:
    """Log-odds fusion (X-05): logit p = logit p₀ + s·Σ ln LR, each ratio kept within [0.05, 20].

    Args:
        shrinking: s, below 1 for findings that say the same thing twice.
    """
    odds = math.log(prior / (1.0 - prior))
    odds += shrinking * sum(math.log(min(max(ratio, LEAST_RATIO), MOST_RATIO)) for ratio in ratios)
    return 1.0 / (1.0 + math.exp(-odds))


def noisy_or(weighted: Iterable[float]) -> float:
    """R = 1 − Π(1 − wᵢ·uᵢ) (X-06): never under the largest of them."""
    return 1.0 - math.prod(1.0 - each for each in weighted)


def graded(likelihood: float, exposure: float, consequence: float) -> float:
    """D = L·E·C of the LEC method (X-07); L 0.1 to 10, E 0.5 to 10, C 1 to 100."""
    return likelihood * exposure * consequence


def likelihood_of(risk: float) -> float:
    """L of the LEC method for a risk from 0 to 1, so that measured and graded risk meet: 0.1 at 0, 1 at ½, 10 at 1."""
    return 0.1 * 100.0**risk


def comparison_of(importance: Mapping[str, float], own: Mapping[tuple[str, str], float]) -> Matrix:
    """Pairwise comparisons of groups: ratios of their importance, but for the pairs that a mine compared itself."""
    names = list(importance)
    matrix = np.array([[importance[a] / importance[b] for b in names] for a in names])
    for (a, b), ratio in own.items():
        matrix[names.index(a), names.index(b)] = ratio
        matrix[names.index(b), names.index(a)] = 1.0 / ratio
    return matrix
