"""What plans and run folders say of the data of a run."""

from collections.abc import Mapping

from reid.data import DatasetSource, DecodedDataset
from reid.data.run_data import Domains
from reid.store.run_records import Counts, DatasetRecord, SplitRecord


def dataset_record(source: DatasetSource, data: DecodedDataset) -> DatasetRecord:
    """The record of one data set."""
    return DatasetRecord(
        name=source.name,
        layout=source.layout,
        root=str(source.root.resolve()),
        split=SplitRecord.model_validate(source.split.model_dump()) if source.split else None,
        cameras=source.cameras,
        fingerprint=data.fingerprint,
        counts={name: Counts.model_validate(split.counts()) for name, split in data.dataset.splits.items()},
        skipped=data.dataset.skipped,
        notes=data.dataset.notes,
    )


def domains_record(
    domains: Domains, sources: Mapping[str, DatasetSource], opened: Mapping[str, DecodedDataset]
) -> DatasetRecord:
    """The record of the data of a run on one set or several.

    Of several, layout, root and split are the primary set's, counts those of what is trained on and ranked.
    """
    records = {name: dataset_record(sources[name], opened[name]) for name in domains.names}
    primary = records[domains.primary]
    if domains.alone:
        return primary
    return primary.model_copy(
        update={
            "name": domains.title,
            "fingerprint": domains.fingerprint({name: opened[name].fingerprint for name in domains.names}),
            "counts": {**primary.counts, "train": _sum([records[name].counts["train"] for name in domains.train_on])},
            "skipped": tuple(f"{name}: {line}" for name, record in records.items() for line in record.skipped),
            "notes": tuple(f"{name}: {line}" for name, record in records.items() for line in record.notes),
            "train_on": domains.train_on,
            "evaluate_on": domains.evaluate_on,
            "sets": records,
        }
    )


def _sum(parts: list[Counts]) -> Counts:
    """What is trained on adds up, as identities and cameras of two sets are never the same."""
    return Counts(
        images=sum(part.images for part in parts),
        identities=sum(part.identities for part in parts),
        cameras=sum(part.cameras for part in parts),
    )
