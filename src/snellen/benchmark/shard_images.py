"""WebDataset shards: tar files of images and labels."""

from __future__ import annotations

from snellen.benchmark.listed_images import ListedImages, label_codes
from snellen.benchmark.stored_images import ShardImages
from snellen.errors import SchemaError
from snellen.training.data.shard_files import expanded, indexed_shard

__all__ = ["shard_images"]


def shard_images(pattern: str) -> ListedImages:
    """List the images of shards; their heads are read, not the images.

    Parameters
    ----------
    pattern : str
        A tar file, ``shards/{000..009}.tar``, or a folder of tar files.

    Raises
    ------
    InputError, SchemaError
        For shards that are not there, packed, damaged or cut off, and images without label.
    ClassError
        For labels that are no classes.
    """
    shards = expanded(pattern)
    samples = [
        sample for k, path in enumerate(shards) for sample in indexed_shard(path, k, "label")
    ]
    if not samples:
        raise SchemaError("expected images, the shards have none", pattern)
    for sample in samples:
        if isinstance(sample.target, bool) or not isinstance(sample.target, (int, str)):
            raise SchemaError(
                f"expected the index or the name of a class, got {sample.target!r}", sample.key
            )
    names, codes = label_codes([str(sample.target) for sample in samples], lambda k: samples[k].key)
    return ListedImages(
        [sample.key for sample in samples],
        codes,
        names,
        ShardImages(shards, [sample.image for sample in samples]),
        {"data": pattern, "kind": "webdataset", "shards": len(shards)},
    )
