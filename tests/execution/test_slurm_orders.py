"""Orders of Slurm jobs are pickles: where others may write them, there is no launch."""

from pathlib import Path

import pytest

from reid.errors import InputError
from reid.execution.executors.slurm import require_private


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """The folder of orders in an output folder that is not there yet."""
    return tmp_path / "output" / "slurm"


def test_it_is_made_for_the_user_alone(orders: Path) -> None:
    require_private(orders)
    assert orders.stat().st_mode & 0o777 == 0o700
    assert orders.parent.stat().st_mode & 0o022 == 0
    require_private(orders)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_folder_that_others_may_write_is_refused(orders: Path, mode: int) -> None:
    orders.mkdir(parents=True)
    orders.chmod(mode)
    with pytest.raises(InputError, match=f"only you may write there.*found mode {mode:o}: chmod go-w it"):
        require_private(orders)


@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o775, True), (0o1777, False), (0o755, False)])
def test_an_output_folder_in_which_it_can_be_replaced_is_refused(orders: Path, mode: int, refused: bool) -> None:
    orders.parent.mkdir()
    orders.parent.chmod(mode)
    if refused:
        with pytest.raises(InputError, match=rf"output: with --executor slurm only you may write there.*{mode:o}"):
            require_private(orders)
    else:
        require_private(orders)


def test_so_is_a_folder_above_it(orders: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(InputError, match="chmod go-w it"):
        require_private(orders)
    tmp_path.chmod(0o1777)
    require_private(orders)
