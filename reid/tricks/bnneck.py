"""BNNeck."""

from reid.tricks.base import MethodCard, Trick

BNNECK = Trick(
    name="bnneck",
    short="BN",
    title="BNNeck",
    card=MethodCard(
        idea="The ID loss wants features on a hypersphere, the triplet loss wants clusters in Euclidean space. A batch "
        "normalisation between them gives each a space of its own.",
        formula="f_i = BN(f_t), no shift; triplet and centre loss on f_t, bias-free classifier and test on f_i",
        source="Luo et al. 2019, section 3.5; Luo et al. 2020 (IEEE TMM), section III.",
        cost="2 parameters a channel.",
        interactions="One trick, three places: neck, classifier (no bias, N(0, 0.001)) and the feature that is ranked. "
        "Its gain depends on the other losses.",
    ),
    settings={
        "neck.kind": "bnneck",
        "classifier.bias": False,
        "classifier.init": "normal",
        "evaluation.feature": "after",
    },
)
