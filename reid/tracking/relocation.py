"""The embedded store of an output folder that was copied or moved: its artifacts are where it is now."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

MOVED = """UPDATE {table} SET {column} = :home || substr({column}, length(:before) + 1)
    WHERE substr({column} || '/', 1, length(:before) + 1) = :before || '/'"""


def bring_home(database: Path, artifacts: str) -> None:
    """Make the artifacts of a store those in the folder with the URI `artifacts`, and not its original's.

    MLflow keeps absolute places alone: it would write what a copy says into the original's files, and delete those. The
    place of its first experiment tells where the store was made. What is no database MLflow itself tells.
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection, connection:
        found = connection.execute("SELECT artifact_location FROM experiments WHERE experiment_id = 0").fetchone()
        before = found[0].rpartition("/")[0] if found and found[0] else artifacts
        if before != artifacts:
            for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
                connection.execute(MOVED.format(table=table, column=column), {"home": artifacts, "before": before})
