"""P x K identity sampling."""

from collections import defaultdict

import numpy as np

from reid.data.dataset import Integers


def identity_batches(labels: Integers, identities: int, images: int, generator: np.random.Generator) -> Integers:
    """One epoch of batches, (steps, P·K) positions: P distinct identities with K images each, side by side.

    Every identity's images are shuffled and cut into groups of K, the remainder dropped (fewer than K: K draws with
    replacement); while P identities still have groups, P of them are drawn and give their next group.
    `labels` (N,). With fewer identities than P the epoch is empty. Source: reid-strong-baseline RandomIdentitySampler.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for position, label in enumerate(labels.tolist()):
        members[label].append(position)
    groups: dict[int, list[Integers]] = {}
    for label, positions in members.items():
        if len(positions) < images:
            shuffled = generator.choice(positions, images, replace=True)
        else:
            shuffled = generator.permutation(positions)
        whole = len(shuffled) // images
        groups[label] = list(shuffled[: whole * images].reshape(whole, images))
    batches: list[Integers] = []
    available = list(groups)
    while len(available) >= identities:
        drawn = [available[i] for i in generator.choice(len(available), identities, replace=False)]
        batches.append(np.concatenate([groups[label].pop() for label in drawn]))
        available = [label for label in available if groups[label]]
    return np.array(batches, dtype=np.int64).reshape(-1, identities * images)
