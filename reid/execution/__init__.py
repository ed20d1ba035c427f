"""Who trains a run, and what is done when that fails."""
