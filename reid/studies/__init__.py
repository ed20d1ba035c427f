"""Studies: the search over knobs. The only importer of optuna."""
