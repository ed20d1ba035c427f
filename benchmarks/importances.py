"""How often a study of noise names a knob, and how often the knob that matters is named, side by side by sampler.

Sixty trials of four knobs. Noise: the objective is drawn at random. Signal: one knob makes so much of its variance.
TPE looks where earlier trials were good, so that its trials are not exchangeable as those of a random search are.

    python -m benchmarks.importances
"""

import argparse

import numpy as np
import optuna

from reid.studies.importance import importances

TRIALS, KNOBS = 60, 4


def study(sampler: optuna.samplers.BaseSampler, share: float, seed: int) -> optuna.Study:
    """A study whose first knob makes `share` of the objective's variance under a random search."""
    random, made = np.random.default_rng(seed), optuna.create_study(direction="maximize", sampler=sampler)

    def objective(trial: optuna.Trial) -> float:
        first, *_ = (trial.suggest_float(f"knob{k}", 0, 1) for k in range(KNOBS))
        return float(np.sqrt(12 * share) * first + np.sqrt(1 - share) * random.normal())

    made.optimize(objective, n_trials=TRIALS)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=100, help="of noise; a quarter as many of signal")
    parser.add_argument("--dealings", type=int, default=39)
    asked = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"{TRIALS} trials of {KNOBS} knobs, {asked.dealings} dealings")
    print("sampler  share  studies  names a knob  fANOVA  PED-ANOVA  names the first only")
    for share in (0.0, 0.2, 0.4):
        studies = asked.studies if share == 0 else asked.studies // 4
        for name in ("random", "tpe"):
            counts = np.zeros(4)
            for seed in range(studies):
                make = optuna.samplers.RandomSampler if name == "random" else optuna.samplers.TPESampler
                found = importances(study(make(seed=seed), share, seed), draws=1, dealings=asked.dealings)
                told = [{knob for knob, one in by.items() if one.is_told} for by in (found.fanova, found.ped_anova)]
                every = told[0] | told[1]
                counts += np.array([bool(every), bool(told[0]), bool(told[1]), every == {"knob0"}])
            row = counts / studies
            print(
                f"{name:<7}  {share:5.1f}  {studies:7d}  {row[0]:12.3f}  {row[1]:6.3f}  {row[2]:9.3f}  {row[3]:20.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
