"""Label smoothing."""

from reid.tricks.base import Knob, MethodCard, Trick

LABEL_SMOOTHING = Trick(
    name="label_smoothing",
    short="LS",
    title="Label smoothing",
    card=MethodCard(
        idea="Test identities are not training identities: ask the classifier to be less sure of the training ones.",
        formula="q(c) = (1 − ε)·[c = y] + ε/K ; loss = −Σ q(c) log p(c)",
        source="Szegedy et al. 2016; Luo et al. 2019, section 3.3.",
        cost="None.",
        interactions="Raises the floor of the ID loss, so its curve is not comparable with an arm that has it off.",
    ),
    knobs={"epsilon": Knob("id_loss.epsilon", default=0.1, low=0.0, high=0.3)},
)
