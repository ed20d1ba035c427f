"""Estimation that knows no runs: factor coding, least squares, corrections."""
