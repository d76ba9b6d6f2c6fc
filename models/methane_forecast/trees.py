"""Decision trees as plain arrays: fitted elsewhere, asked here, kept in a file that runs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Rows that go down the trees together: what they touch fits a processor's cache.
_TOGETHER = 512


@dataclass(frozen=True)
class Trees:
    """Several trees in one list of nodes.

    Attributes:
        roots: first node of each tree; shape (trees,).
        left, right: nodes below; −1 at a leaf; shape (nodes,).
        feature, threshold: a row goes left where its feature is at most the threshold.
        leaf: number of the leaf within its tree; −1 where the node is none.
        value: what a leaf says; shape (nodes, outputs), or (0, 0) where only the leaf matters.
        depth: of the deepest tree.
    """

    roots: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    leaf: NDArray[np.int32]
    value: NDArray[np.float32]
    depth: int

    def leaves(self, x: NDArray[np.float32]) -> NDArray[np.int32]:
        """The leaf of every row in every tree; shape (n, trees)."""
        return self.leaf[self._nodes(x)]

    def mean(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean of what the leaves say; shape (n, outputs)."""
        nodes = self._nodes(x)
        found = np.zeros((len(x), self.value.shape[1]))
        for tree in range(nodes.shape[1]):
            found += self.value[nodes[:, tree]]
        return found / nodes.shape[1]

    def _nodes(self, x: NDArray[np.float32]) -> NDArray[np.int32]:
        found = np.empty((len(x), len(self.roots)), np.int32)
        for start in range(0, len(x), _TOGETHER):
            part = x[start : start + _TOGETHER]
            row = np.arange(len(part))[:, None]
            node = np.broadcast_to(self.roots, (len(part), len(self.roots))).copy()
            for _ in range(self.depth):
                goes_left = part[row, self.feature[node]] <= self.threshold[node]
                below = np.where(goes_left, self.left[node], self.right[node])
                node = np.where(below < 0, node, below)
            found[start : start + _TOGETHER] = node
        return found


def from_forest(forest: Any, *, has_values: bool) -> Trees:
    """The trees of a fitted scikit-learn forest."""
    trees = [each.tree_ for each in forest.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])

    def joined(name: str) -> NDArray:
        return np.concatenate([getattr(tree, name) for tree in trees])

    def below(name: str) -> NDArray[np.int32]:
        parts = [
            np.where(getattr(tree, name) < 0, -1, getattr(tree, name) + start)
            for tree, start in zip(trees, starts, strict=False)
        ]
        return np.concatenate(parts).astype(np.int32)

    left = below("children_left")
    is_leaf = [tree.children_left < 0 for tree in trees]
    leaf = np.concatenate([np.where(each, np.cumsum(each) - 1, -1) for each in is_leaf])
    value = np.concatenate([tree.value[:, :, 0] for tree in trees]) if has_values else np.empty((0, 0))
    return Trees(
        starts[:-1].astype(np.int32),
        left,
        below("children_right"),
        np.maximum(joined("feature"), 0).astype(np.int16),
        # Rounded down, so that a row in single precision goes the same way as against the double threshold.
        _rounded_down(joined("threshold")),
        leaf.astype(np.int32),
        value.astype(np.float32),
        max(tree.max_depth for tree in trees),
    )


def _rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    found = values.astype(np.float32)
    return np.where(found > values, np.nextafter(found, np.float32(-np.inf)), found)
