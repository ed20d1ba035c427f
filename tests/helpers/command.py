"""Commands in this process."""

import pytest

from reid.cli.app import main


def run_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> tuple[str, str]:
    """What `reid` with these words prints, and what it says of errors; it must end with `code`."""
    monkeypatch.setattr("sys.argv", ["reid", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == code, captured.err
    return captured.out, captured.err
