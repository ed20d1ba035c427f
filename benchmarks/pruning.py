"""What a pruner saves and costs, on made-up learning curves of 120 epochs with noise, against no pruner side by side.

A trial's truth is a quadratic in ε and the logarithm of a weight; a larger ε learns later, so curves cross, and the
learning rate drops after epochs 40 and 70. Evaluations every 10 epochs. Every row is repeated: the mean truth of the
winner, the epochs trained as a share of 60 whole trials, and the truth over that of no pruner.

    python -m benchmarks.pruning
"""

import argparse
from statistics import fmean, stdev

import numpy as np
import optuna
from optuna.trial import TrialState

from reid.studies.search_space import make_pruner

EPOCHS, EVERY, TRIALS = 120, 10, 60
SEED_NOISE, EVALUATION_NOISE = 0.008, 0.004


def truth(epsilon: float, log_weight: float) -> float:
    return 0.84 - 2.0 * (epsilon - 0.18) ** 2 - 0.01 * (log_weight + 3) ** 2


def curve(epsilon: float, final: float, random: np.random.Generator) -> list[tuple[int, float]]:
    """(epoch, value) at every evaluation; `final` is where it ends."""
    found = []
    for epoch in range(EVERY, EPOCHS + 1, EVERY):
        slow = 12 + 60 * epsilon
        reached = 0.85 * (1 - np.exp(-epoch / slow)) + 0.1 * (epoch > 40) + 0.05 * (epoch > 70)
        found.append((epoch, final * reached + random.normal(0, EVALUATION_NOISE)))
    return [*found[:-1], (EPOCHS, final)]


def search(pruner: str, seeds: int, trials: int, repeat: int) -> tuple[float, int]:
    """Truth of the winner, and epochs trained."""
    random = np.random.default_rng([repeat, seeds])
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=repeat),
        pruner=make_pruner(pruner, EPOCHS),
    )
    spent = 0
    for _ in range(trials):
        trial = study.ask()
        epsilon, log_weight = trial.suggest_float("epsilon", 0, 0.3), trial.suggest_float("log_weight", -5, -2)
        values: list[float] = []
        for seed in range(seeds):
            final = truth(epsilon, log_weight) + random.normal(0, SEED_NOISE)
            pruned, trained = False, EPOCHS
            if pruner == "wilcoxon":
                trial.report(final, seed)
                pruned = trial.should_prune() and seed + 1 < seeds
            elif seed == 0:
                for epoch, value in curve(epsilon, final, random):
                    trial.report(value, epoch)
                    if epoch < EPOCHS and trial.should_prune():
                        pruned, trained = True, epoch
                        break
            spent += trained
            if pruned:
                study.tell(trial, state=TrialState.PRUNED)
                break
            values.append(final)
        else:
            study.tell(trial, fmean(values))
    return truth(study.best_params["epsilon"], study.best_params["log_weight"]), spent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{'pruner':10} {'seeds':>5} {'trials':>6} {'winner':>8} {'± s.e.':>7} {'epochs':>7} {'to none':>8}")
    # The same number of trials with one seed; about the same number of epochs; as many trainings, on several seeds.
    rows = [(pruner, 1, TRIALS) for pruner in ("none", "median", "hyperband", "halving")]
    rows += [("none", 1, TRIALS * 53 // 100), ("hyperband", 1, TRIALS * 100 // 53)]
    rows += [("none", 3, TRIALS // 3), ("none", 5, TRIALS // 5), ("wilcoxon", 5, TRIALS // 4)]
    base = None
    for pruner, seeds, trials in rows:
        found = [search(pruner, seeds, trials, repeat) for repeat in range(repeats)]
        winner, error = fmean(value for value, _ in found), stdev(value for value, _ in found) / repeats**0.5
        share = fmean(spent for _, spent in found) / (EPOCHS * TRIALS)
        base = base or winner
        print(
            f"{pruner:10} {seeds:5} {trials:6} {winner:8.4f} {error:7.4f} {share:6.0%} {winner / base:8.4f}", flush=True
        )


if __name__ == "__main__":
    main()
