"""Grids: designed, launched, kept whole."""
