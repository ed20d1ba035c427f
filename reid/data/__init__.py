"""Data sets, decoded images, augmentation and sampling."""

from reid.data.cache import DecodedDataset, open_dataset
from reid.data.dataset import BenchmarkDataset, Dataset, Split
from reid.data.source import DatasetSource, load_dataset
from reid.data.split import TuningDataset, ValidationSplit, hold_out

__all__ = [
    "BenchmarkDataset",
    "Dataset",
    "DatasetSource",
    "DecodedDataset",
    "Split",
    "TuningDataset",
    "ValidationSplit",
    "hold_out",
    "load_dataset",
    "open_dataset",
]
