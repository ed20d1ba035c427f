"""Data sets, decoded images, augmentation and sampling."""

from reid.data.cache import DecodedDataset, open_dataset
from reid.data.dataset import BenchmarkDataset, Dataset, Split
from reid.data.join import join, join_datasets
from reid.data.layouts import register_layout
from reid.data.source import Cameras, DatasetSource, load_dataset
from reid.data.split import TuningDataset, ValidationSplit, hold_out

__all__ = [
    "BenchmarkDataset",
    "Cameras",
    "Dataset",
    "DatasetSource",
    "DecodedDataset",
    "Split",
    "TuningDataset",
    "ValidationSplit",
    "hold_out",
    "join",
    "join_datasets",
    "load_dataset",
    "open_dataset",
    "register_layout",
]
