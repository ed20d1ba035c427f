"""The learning rate: what golden numbers do not cover."""

import pytest
import torch

from reid.recipe import Schedule
from reid.training import learning_rate


@pytest.mark.parametrize("epochs", [1, 7, 120])
def test_cosine_is_torchs(epochs: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    schedule = Schedule(base=0.02, epochs=epochs, decay="cosine", milestones=(2,))
    for epoch in range(1, epochs + 1):
        assert learning_rate(schedule, epoch) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        theirs.step()


def test_warm_up_multiplies_either_decay() -> None:
    for decay in ("steps", "cosine"):
        plain = Schedule.model_validate({"decay": decay, "epochs": 20, "milestones": (10,)})
        warm = plain.model_copy(update={"warmup_epochs": 5})
        shares = [learning_rate(warm, epoch) / learning_rate(plain, epoch) for epoch in range(1, 8)]
        assert shares == pytest.approx([0.208, 0.406, 0.604, 0.802, 1, 1, 1])
