"""What the files of a run folder hold."""

STATES = ("planned", "running", "finished", "diverged", "failed", "stopped")


ENDED = ("finished", "diverged")  # results: never trained again
