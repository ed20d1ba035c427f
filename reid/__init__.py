"""Ablation platform for the person re-identification strong baseline."""

__version__ = "0.1.0"
