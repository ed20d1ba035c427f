"""A trick of your own: the average of the weights is what is evaluated (mean teacher, Tarvainen & Valpola 2017).

In a grid file: `plugins: [my_trick.py]` and a factor `weight_average:`.
"""

import reid

reid.register_trick(
    reid.Trick(
        name="weight_average",
        short="EMA",
        title="Weight averaging",
        card=reid.MethodCard(
            idea="The weights of the last steps scatter around a better point: evaluate their average.",
            formula="average ← d · average + (1 − d) · weights, after every step",
            source="Tarvainen & Valpola 2017 (NeurIPS).",
            cost="A second copy of the weights.",
            interactions="Needs a learning rate that has come down, or the average lags.",
        ),
        knobs={"decay": reid.Knob("optimizer.ema", default=0.9, low=0.5, high=0.999)},
        conflicts_with=("optimizer.name=sgd",),
    )
)
