"""Warm-up learning rate."""

from reid.tricks.base import Knob, MethodCard, Trick

WARMUP = Trick(
    name="warmup",
    short="WU",
    title="Warm-up learning rate",
    card=MethodCard(
        idea="Raise the learning rate linearly over the first epochs, so that a pretrained trunk is not torn by a "
        "classifier that is still random.",
        formula="lr(t) = base · (f + (1 − f) · t/T) for epoch t < T, with f = 0.01 and T = 10 epochs",
        source="Fan et al. 2019 (SphereReID); Luo et al. 2019, section 3.1. The code counts epochs and adds the 0.01 "
        "term that the printed formula leaves out.",
        cost="None.",
        interactions="Random erasing without warm-up is known to diverge now and then from pretrained weights.",
    ),
    knobs={"epochs": Knob("schedule.warmup_epochs", default=10, low=0, high=20)},
)
