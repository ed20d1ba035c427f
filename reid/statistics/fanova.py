"""fANOVA (Hutter et al., ICML 2014): how much a random forest's predictions vary with each knob alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestRegressor

Floats = npt.NDArray[np.float64]


def main_variances(knobs: Sequence[Floats], values: Floats, trees: int) -> Floats:
    """Variance of the forest's prediction over each knob alone, averaged over the others' whole range; mean over trees.

    A knob is (n,) of numbers from 0 to 1, or (n, choices) with a 1 at the choice and 0 elsewhere. The forest is that of
    Optuna's evaluator, and of numbers so is the result; choices are averaged over those that there are, and not over
    every combination of their columns.
    """
    forest = RandomForestRegressor(trees, max_depth=64, random_state=0).fit(np.column_stack(knobs), values)
    return np.asarray(np.mean([_of_tree(one.tree_, knobs) for one in forest.estimators_], axis=0))


def _of_tree(tree: Any, knobs: Sequence[Floats]) -> Floats:
    """The variances of one tree of scikit-learn."""
    low, high = np.full((tree.node_count, tree.n_features), -1.0), np.ones((tree.node_count, tree.n_features))
    inner = np.flatnonzero(tree.children_left >= 0)
    for node in inner:  # a parent comes before its children
        left, right, column = tree.children_left[node], tree.children_right[node], tree.feature[node]
        low[[left, right]], high[[left, right]] = low[node], high[node]
        high[left, column] = low[right, column] = tree.threshold[node]
    leaves = tree.children_left < 0
    low, high, value = low[leaves], high[leaves], tree.value[leaves].ravel()
    ends = np.cumsum([knob.shape[1] if knob.ndim > 1 else 1 for knob in knobs])
    boxes = zip(np.split(low, ends[:-1], axis=1), np.split(high, ends[:-1], axis=1), knobs, strict=True)
    parts = [_choices(*box) if knob.ndim > 1 else _pieces(*box) for *box, knob in boxes]
    extents = np.array([inside @ size for inside, size in parts])
    weight = extents.prod(axis=0)
    mean = value @ weight
    along = [(value * weight / extent) @ inside for extent, (inside, _) in zip(extents, parts, strict=True)]
    return np.array([(line - mean) ** 2 @ size for line, (_, size) in zip(along, parts, strict=True)])


def _pieces(low: Floats, high: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which pieces of the range a leaf covers (leaves, pieces), between all ends of leaves; and the pieces' lengths."""
    low = low.clip(min=0)
    ends = np.unique([low, high])
    return (low <= ends[:-1]) & (ends[1:] <= high), np.diff(ends)


def _choices(low: Floats, high: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which choices a leaf holds (leaves, choices), and their sizes, all alike."""
    count = low.shape[1]
    one_hot = np.eye(count)[None]
    inside = np.all((low[:, None] < one_hot) & (one_hot <= high[:, None]), axis=2)
    return np.asarray(inside), np.full(count, 1 / count)
