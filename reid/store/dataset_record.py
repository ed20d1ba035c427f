"""What plans and run folders say of data sets."""

from collections.abc import Mapping
from typing import Any

from reid.data import DatasetSource, DecodedDataset
from reid.data.run_data import Domains


def dataset_record(source: DatasetSource, data: DecodedDataset) -> dict[str, Any]:
    """What plan.json and run.json say of a data set."""
    return {
        "name": source.name,
        "layout": source.layout,
        "root": str(source.root.resolve()),
        "split": source.split.model_dump() if source.split else None,
        "fingerprint": data.fingerprint,
        "counts": {name: split.counts() for name, split in data.dataset.splits.items()},
        "skipped": list(data.dataset.skipped),
        "notes": list(data.dataset.notes),
    }


def domains_record(
    domains: Domains, sources: Mapping[str, DatasetSource], opened: Mapping[str, DecodedDataset]
) -> dict[str, Any]:
    """The same of a run on several sets: layout, root and split are the headline set's, counts those of what is trained
    on and ranked; `sets` has the record of each."""
    records = {name: dataset_record(sources[name], opened[name]) for name in domains.names}
    if domains.alone:
        return records[domains.headline]
    return {
        **records[domains.headline],
        "name": domains.title,
        "fingerprint": domains.fingerprint({name: opened[name].fingerprint for name in domains.names}),
        "counts": _counts(domains, records),
        "skipped": _named(records, "skipped"),
        "notes": _named(records, "notes"),
        "train_on": list(domains.train_on),
        "evaluate_on": list(domains.evaluate_on),
        "sets": records,
    }


def _counts(domains: Domains, records: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Counts by split: what is trained on adds up, as identities and cameras of two sets are never the same."""
    parts = [records[name]["counts"]["train"] for name in domains.train_on]
    train = {what: sum(part[what] for part in parts) for what in parts[0]}
    return {**records[domains.headline]["counts"], "train": train}


def _named(records: Mapping[str, dict[str, Any]], key: str) -> list[str]:
    return [f"{name}: {line}" for name, record in records.items() for line in record[key]]
