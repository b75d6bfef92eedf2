"""Where the files of Fashion-MNIST are, and how they come there.

They are looked for in a folder that is named, in the cache, and where Debian's package
``dataset-fashion-mnist`` puts them; else they are downloaded into the cache and checked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from snellen.errors import InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLASSES", "URL", "cache_folder", "download", "found_file", "found_folder"]

CLASSES: Final = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)

_SYSTEM: Final = "/usr/share/datasets/fashion-mnist"
URL: Final = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
# MD5 as its authors publish it; Debian's files hold the same, packed otherwise.
_FILES: Final = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
_SECONDS: Final = 20


def found_folder(
    *, folder: str | None = None, url: str = URL, download_missing: bool = True
) -> Path:
    """Return the folder that has the four files; parameters and errors as of `fashion_mnist`."""
    cache = cache_folder() / "fashion-mnist"
    places = [Path(folder)] if folder is not None else [cache, Path(_SYSTEM)]
    at = next((place for place in places if _complete(place)), None)
    if at is None and folder is None and download_missing:
        download(url, cache, _FILES)
        at = cache
    if at is None:
        raise InputError(
            f"expected Fashion-MNIST, {', '.join(_FILES)}: put these four files into "
            f"{folder or cache}, or install Debian's dataset-fashion-mnist"
        )
    return at


def cache_folder() -> Path:
    """Return where downloaded data are kept: ``$SNELLEN_CACHE``, else ``~/.cache/snellen``."""
    own = os.environ.get("SNELLEN_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snellen"


def download(url: str, folder: Path, files: Mapping[str, str]) -> None:
    """Download files into a folder; none is there before it is whole and its check sum right.

    Parameters
    ----------
    url : str
        What their names come after.
    folder : Path
        It is made where it is not there. Files that are there stay.
    files : mapping of str to str
        The MD5 of each file by its name.

    Raises
    ------
    InputError
        Where a file cannot be had, or is another one.
    """
    import urllib.request

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"expected a folder to download to, got: {error.strerror}", str(folder)
        ) from None
    for name, expected in files.items():
        if (folder / name).exists():
            continue
        address = f"{url}/{name}"
        digest = hashlib.md5(usedforsecurity=False)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
                    while block := answer.read(1 << 20):
                        digest.update(block)
                        file.write(block)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != expected:
                raise SchemaError(
                    f"expected a file of MD5 {expected}, got {digest.hexdigest()}: what was "
                    f"downloaded is not {name}",
                    address,
                )
            shutil.move(temporary, folder / name)
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise InputError(
                f"expected a download of {name}, got: {reason}: put the file into {folder}",
                address,
            ) from None
        finally:
            Path(temporary).unlink(missing_ok=True)


def _complete(folder: Path) -> bool:
    return all(found_file(folder, name) is not None for name in _FILES)


def found_file(folder: Path, name: str) -> Path | None:
    """Return a file as it is there: packed, or unpacked."""
    for path in (folder / name, folder / name.removesuffix(".gz")):
        if path.is_file():
            return path
    return None
