"""Centre loss."""

from reid.tricks.base import Knob, MethodCard, Trick

CENTER_LOSS = Trick(
    name="center_loss",
    short="CL",
    title="Centre loss",
    card=MethodCard(
        idea="The triplet loss knows differences of distances only. Pull every feature to the centre of its identity "
        "as well.",
        formula="L = (1/B) Σ |f_t − c_y|² with weight 0.0005; each step moves c_y by 1/B Σ (f_t − c_y)",
        source="Wen et al. 2016; Luo et al. 2019, section 3.6. The centres' step is not scaled by the weight.",
        cost="One vector an identity.",
        interactions="Its pull grows with the squared scale of f_t, which the neck and the triplet loss set.",
    ),
    knobs={"weight": Knob("center.weight", default=5e-4, low=1e-5, high=1e-2, log=True, zero_is_off=True)},
)
