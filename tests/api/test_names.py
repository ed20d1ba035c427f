"""The names of the library: there, typed, and imported only when they are used."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import reid


@pytest.mark.parametrize("name", reid.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(reid, name).__doc__


BEFORE = {
    "losses": "TripletResult batch_hard_triplet center_loss circle_loss label_smoothing_cross_entropy move_centers",
    "evaluation": "Extracted Ranking chance_mAP evaluate extract extract_test rank rank_distances rank_extracted "
    "rerank",
    "models": "Baseline Loaded build_model load_checkpoint load_pretrained pretrained_file require_backbone",
    "data": "BenchmarkDataset Dataset DatasetSource DecodedDataset Split TuningDataset ValidationSplit hold_out join "
    "join_datasets load_dataset open_dataset",
    "training": "INDICES STEP_FIELDS Checkpoint Diverged Evaluated Event Steps learning_rate learnt_nothing "
    "measure_dynamics oscillation require_trainable train",
    "recipe": "Recipe BACKBONES Slot Image Augmentation ColorJitter Erasing Batch Backbone Pooling Neck Classifier "
    "IdLoss Triplet Center Circle Optimizer Schedule Evaluation digest",
    "tricks": "TRICKS Card Knob Trick",
}


@pytest.mark.parametrize("room", BEFORE)
def test_names_of_before_work_from_where_they_were(room: str) -> None:
    module = import_module(f"reid.{room}")
    assert [name for name in BEFORE[room].split() if not hasattr(module, name)] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = reid.nothing  # type: ignore[attr-defined]


def test_the_type_checker_sees_the_names_that_are_imported_lazily() -> None:
    block = next(node for node in ast.parse(Path(reid.__file__).read_text()).body if isinstance(node, ast.If))
    typed = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == reid._MODULES
    assert sorted(typed) == sorted(reid.__all__) == sorted(name for name in dir(reid) if not name.startswith("_"))


def test_importing_it_imports_neither_torch_nor_pandas() -> None:
    code = "import sys, reid; sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
