"""Last stride 1."""

from reid.tricks.base import MethodCard, Trick

LAST_STRIDE = Trick(
    name="last_stride",
    short="ST",
    title="Last stride 1",
    card=MethodCard(
        idea="Leave out the last down-sampling: a feature map of 16x8 instead of 8x4 keeps finer detail, with no new "
        "parameter.",
        formula="stride of the first block of the last stage (and of its shortcut): 2 → 1",
        source="Sun et al. 2018 (PCB); Luo et al. 2019, section 3.4.",
        cost="The last stage works on four times as many positions.",
        interactions="None known.",
    ),
    settings={"backbone.last_stride": 1},
)
