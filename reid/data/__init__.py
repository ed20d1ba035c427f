"""Data sets, decoded images, augmentation and sampling."""

from reid.data.cache import DecodedDataset, open_dataset
from reid.data.dataset import Dataset, Split
from reid.data.source import DatasetSource, load_dataset

__all__ = ["Dataset", "DatasetSource", "DecodedDataset", "Split", "load_dataset", "open_dataset"]
