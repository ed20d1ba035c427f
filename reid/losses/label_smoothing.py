"""Label-smoothed cross-entropy."""

from torch import Tensor
from torch.nn import functional


def label_smoothing_cross_entropy(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Mean over the batch of −Σ q log softmax(logits) with q = (1 − ε)·onehot + ε/K, in nats.

    `logits` (B, K), `labels` (B,) in 0..K−1, `epsilon` in 0..1 (0: plain cross-entropy); returns ().
    Raises ValueError for an epsilon outside 0..1. Source: Szegedy et al. 2016; reid-strong-baseline
    CrossEntropyLabelSmooth, which torch's own `label_smoothing` equals.
    """
    if not 0 <= epsilon <= 1:
        raise ValueError(f"label smoothing epsilon must lie in 0..1, got {epsilon}")
    return functional.cross_entropy(logits, labels, label_smoothing=epsilon)
