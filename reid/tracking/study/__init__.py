"""Studies in MLflow: an experiment a study, with its trials and their seeds."""
