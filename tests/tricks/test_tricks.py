from itertools import combinations, permutations

import pytest

from reid.recipe import Recipe
from reid.tricks import TRICKS, Trick
from reid.tricks.paper import PAPER_TRICKS


def all_on(order: tuple[Trick, ...]) -> Recipe:
    recipe = Recipe()
    for trick in order:
        recipe = trick.apply(recipe)
    return recipe


def test_the_papers_order() -> None:
    assert tuple(TRICKS)[:6] == PAPER_TRICKS
    assert all(name == trick.name for name, trick in TRICKS.items())


def test_720_orders_give_one_recipe() -> None:
    assert len({all_on(order).signature() for order in permutations(TRICKS.values())}) == 1


def test_64_arms_have_64_signatures() -> None:
    subsets = [subset for size in range(7) for subset in combinations(TRICKS.values(), size)]
    assert len(subsets) == len({all_on(subset).signature() for subset in subsets}) == 64


@pytest.mark.parametrize("trick", TRICKS.values(), ids=lambda trick: trick.name)
class TestEvery:
    def test_is_idempotent(self, trick: Trick) -> None:
        assert trick.apply(trick.apply(Recipe())) == trick.apply(Recipe())

    def test_changes_exactly_its_own_fields(self, trick: Trick) -> None:
        before, after = Recipe().flat(), trick.apply(Recipe()).flat()
        assert {field for field in before if before[field] != after[field]} == trick.fields

    def test_shares_no_field_with_another(self, trick: Trick) -> None:
        others = [other.fields for other in TRICKS.values() if other is not trick]
        assert not trick.fields.intersection(*[frozenset().union(*others)])

    def test_default_of_a_knob_lies_in_its_range(self, trick: Trick) -> None:
        for knob in trick.knobs.values():
            assert knob.low <= knob.default <= knob.high
            assert not knob.log or knob.low > 0

    def test_refuses_an_unknown_knob(self, trick: Trick) -> None:
        with pytest.raises(KeyError, match="colour"):
            trick.apply(Recipe(), colour=1)

    def test_card_is_filled(self, trick: Trick) -> None:
        assert all(vars(trick.card).values())
        assert trick.short
        assert trick.title


def test_paper_values() -> None:
    flat = all_on(tuple(TRICKS.values())).flat()
    assert flat["schedule.warmup_epochs"] == 10
    assert flat["erasing.probability"] == 0.5
    assert flat["id_loss.epsilon"] == 0.1
    assert flat["backbone.last_stride"] == 1
    assert (flat["neck.kind"], flat["classifier.bias"], flat["classifier.init"]) == ("bnneck", False, "normal")
    assert flat["evaluation.feature"] == "after"
    assert flat["center.weight"] == 5e-4


def test_a_knob_is_set() -> None:
    assert TRICKS["label_smoothing"].apply(Recipe(), epsilon=0.2).id_loss.epsilon == 0.2
