"""How tests are handed to the workers of pytest-xdist."""

import pytest

LONGEST_FIRST = ("e2e", "faults", "browser", "slow")  # so that no worker is left with one of them in the end
EACH_ALONE = ("tests/e2e/", "tests/faults/")
# But these share what is expensive, or a cluster.
TOGETHER = (
    "tests/e2e/test_command_line.py",
    "tests/e2e/test_tune.py",
    "tests/faults/test_ray.py",
    "tests/faults/test_slurm.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    items.sort(
        key=lambda item: min((i for i, name in enumerate(LONGEST_FIRST) if item.get_closest_marker(name)), default=9)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """A file to a worker, for the sake of its fixtures; tests of minutes each for itself."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFileOrTest(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return nodeid if file.startswith(EACH_ALONE) and file not in TOGETHER else file

    config.option.loadscopereorder = False  # in the order above, not the fullest file first
    return ByFileOrTest(config, log)
