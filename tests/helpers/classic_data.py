"""Factorial experiments from textbooks, whose answers are known, as CSV text."""

from itertools import product

# Montgomery, Design and Analysis of Experiments: a pilot plant's filtration rate; A temperature, B pressure,
# C concentration, D stirring. Standard order: A changes fastest.
FILTRATION = (45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96)
# Box, Hunter and Hunter, Statistics for Experimenters: conversion of a process, percent; catalyst charge, temperature,
# pressure, concentration.
CONVERSION = (71, 61, 90, 82, 68, 61, 87, 80, 61, 50, 89, 83, 59, 51, 85, 78)
# Yates' peas, in Venables and Ripley as npk: six blocks of four plots; block, N, P, K, yield in pounds.
PEAS = """block,N,P,K,yield
1,0,1,1,49.5\n1,1,1,0,62.8\n1,0,0,0,46.8\n1,1,0,1,57.0
2,1,0,0,59.8\n2,1,1,1,58.5\n2,0,0,1,55.5\n2,0,1,0,56.0
3,0,1,0,62.8\n3,1,1,1,55.8\n3,1,0,0,69.5\n3,0,0,1,55.0
4,1,0,0,62.0\n4,1,1,1,48.8\n4,0,0,1,45.5\n4,0,1,0,44.2
5,1,1,0,52.0\n5,0,0,0,51.5\n5,1,0,1,49.8\n5,0,1,1,48.8
6,1,0,1,57.2\n6,1,1,0,59.0\n6,0,1,1,53.2\n6,0,0,0,56.0
"""


def filtration() -> str:
    """Signs as levels."""
    return _table("A,B,C,D,rate", ("-", "+"), FILTRATION)


def conversion() -> str:
    """The settings of the plant as levels."""
    levels = (("10", "15"), ("220", "240"), ("50", "80"), ("10", "12"))
    settings = [row[::-1] for row in product(*levels[::-1])]
    rows = (f"{','.join(row)},{value}" for row, value in zip(settings, CONVERSION, strict=True))
    return "catalyst,temperature,pressure,concentration,conversion\n" + "\n".join(rows) + "\n"


def _table(head: str, levels: tuple[str, str], values: tuple[int, ...]) -> str:
    rows = (row[::-1] for row in product(levels, repeat=4))
    return head + "\n" + "\n".join(f"{','.join(row)},{value}" for row, value in zip(rows, values, strict=True)) + "\n"
