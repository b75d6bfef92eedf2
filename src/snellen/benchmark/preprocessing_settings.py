"""Preprocessing from what is written behind a model's name: ``resize=256,crop=224,mean=0.5``."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from snellen.benchmark.preprocessing import CHOICES, Kind, Layout, Preprocessing
from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = [
    "PREPROCESSING_KEYS",
    "PRESETS",
    "Takes",
    "chosen_preprocessing",
    "refuse_unknown_settings",
]

_IMAGENET: Final[dict[str, Any]] = {
    "height": 224,
    "width": 224,
    "shorter_side": 256,
    "fit": "shorter",
}

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "imagenet": {
        **_IMAGENET,
        "colours": "RGB",
        "scale": 1 / 255,
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
    },
    "imagenet-tf": {
        **_IMAGENET,
        "colours": "RGB",
        "scale": 1 / 127.5,
        "mean": (1.0,),
        "std": (1.0,),
    },
    "imagenet-caffe": {
        **_IMAGENET,
        "colours": "BGR",
        "scale": 1.0,
        "mean": (103.939, 116.779, 123.68),
        "std": (1.0,),
    },
    "unit": {"scale": 1 / 255, "mean": (0.0,), "std": (1.0,)},
    "bytes": {"scale": 1.0, "mean": (0.0,), "std": (1.0,)},
}
"""What networks are used to: that of torchvision and timm, −1 … 1 of TensorFlow, Caffe's means;
0 … 1, and bytes as they are (of a network that scales them itself), which leave the size open."""

_ALIASES: Final = {
    "size": "crop",
    "interpolation": "filter",
    "channels": "colours",
    "colors": "colours",
}
PREPROCESSING_KEYS: Final = (
    *("preset", "resize", "crop", "fit", "filter", "colours", "scale", "mean", "std"),
    *("layout", "dtype"),
    *_ALIASES,
)
"""The keys that `chosen_preprocessing` understands."""

_SPELLINGS: Final = {
    "fit": {"crop": "fill"},
    "filter": {"linear": "bilinear", "cubic": "bicubic", "lanczos3": "lanczos"},
    "colours": {"grey": "L", "gray": "L", "1": "L", "3": "RGB"},
    "layout": {"nchw": "channels_first", "nhwc": "channels_last"},
    "dtype": {"bytes": "uint8", "float": "float32"},
}


class Takes(NamedTuple):
    """What a network itself says about its input; None where it leaves something open.

    Attributes
    ----------
    height, width : int or None
        The size of images.
    n_channels : int or None
        1 for grey, 3 for colours.
    layout : {"channels_first", "channels_last"} or None
        Where the channels are.
    dtype : {"float32", "uint8"} or None
        Numbers, or bytes.
    """

    height: int | None = None
    width: int | None = None
    n_channels: int | None = None
    layout: Layout | None = None
    dtype: Kind | None = None


def chosen_preprocessing(
    settings: Mapping[str, str],
    own: Preprocessing | None,
    place: str,
    takes: Takes = Takes(),  # noqa: B008 - a tuple
) -> Preprocessing:
    """Return what is done to images: what was set, else what the model knows, else what it takes.

    Parameters
    ----------
    settings : mapping of str to str
        Of `PREPROCESSING_KEYS`; others are left alone.
    own : Preprocessing or None
        What the model was trained with; None where nobody knows.
    place : str
        The model, for messages.
    takes : Takes
        What its input allows.

    Raises
    ------
    InputError
        For a value that there is not; where nothing is known of how the model's images are made;
        and where the network takes another size, other channels or another type.
    """
    chosen = _read(settings, place)
    given = dict(PRESETS[chosen.pop("preset")]) if "preset" in chosen else {}
    known = {} if own is None else _plain(own)
    takes_bytes = "uint8" in (takes.dtype, chosen.get("dtype"))
    if own is None and not given and not takes_bytes and "scale" not in chosen:
        if chosen.keys() & {"mean", "std"}:
            raise InputError(
                "expected what bytes are multiplied by before mean and std, as in "
                '",scale=1/255", or ",scale=1" where these are of bytes',
                place,
            )
        raise InputError(
            "nothing is known of how the images of this model are made: say it behind its name, "
            'as in ",preset=imagenet" (of ' + ", ".join(PRESETS) + ") or "
            '",resize=256,crop=224,scale=1/255,mean=0.5,std=0.25"',
            place,
        )
    before = {**known, **given}
    merged = {**before, **_fitted(before, chosen, place)}
    merged = {**_of_takes(takes, merged), **merged}
    if "height" not in merged or "width" not in merged:
        raise InputError(
            'expected the size of images, which the network leaves open: say it, as in ",size=224"',
            place,
        )
    try:
        made = Preprocessing(**merged)
    except InputError as error:
        raise error.within(place) from None
    _refuse_other_input(made, takes, place)
    return made


def refuse_unknown_settings(
    settings: Mapping[str, str], known: Collection[str], place: str
) -> None:
    """Refuse the first setting that a source does not know.

    Raises
    ------
    InputError
        With the one that was meant, where one is close, else with all.
    """
    for name in settings:
        if name not in known:
            hint = did_you_mean(name, known) or f" There are {', '.join(sorted(known))}"
            raise InputError(f'expected a setting of this source, got "{name}".{hint}', place)


def _plain(own: Preprocessing) -> dict[str, Any]:
    return {field.name: getattr(own, field.name) for field in dataclasses.fields(own)}


def _read(settings: Mapping[str, str], place: str) -> dict[str, Any]:
    """Return the values of settings, by the names of fields; crop and resize as they are called."""
    found: dict[str, Any] = {}
    written: dict[str, str] = {}
    for given, text in settings.items():
        if given not in PREPROCESSING_KEYS:
            continue
        name = _ALIASES.get(given, given)
        if name in written:
            raise InputError(f"expected one of {written[name]} and {given}, got both", place)
        written[name] = given
        where = f"{place} {given}"
        if name == "preset":
            found[name] = _one_of(text, tuple(PRESETS), {}, where)
        elif name in CHOICES:
            found[name] = _one_of(text, CHOICES[name], _SPELLINGS[name], where)
        elif name == "resize":
            found[name] = None if text.lower() == "none" else _whole(text, where)
        elif name == "crop":
            sides = [_whole(side, where) for side in text.lower().replace("×", "x").split("x")]
            if len(sides) > 2:
                raise InputError(f'expected a size N or HxW, got "{text}"', where)
            found[name] = (sides[0], sides[-1])
        elif name == "scale":
            found[name] = _number(text, where)
        else:
            found[name] = tuple(_number(each, where) for each in text.split(":"))
    return found


def _fitted(before: Mapping[str, Any], chosen: dict[str, Any], place: str) -> dict[str, Any]:
    """Return what was chosen as fields, in which fit and shorter side agree."""
    found = {name: value for name, value in chosen.items() if name not in ("resize", "crop")}
    if "crop" in chosen:
        found["height"], found["width"] = chosen["crop"]
    resize = chosen.get("resize")
    # A length says how images are fitted; "none" says only that it is another way.
    own = "stretch" if "resize" in chosen else before.get("fit")
    fit = found.setdefault("fit", "shorter" if resize is not None else own)
    if fit != "shorter":
        if resize is not None:
            raise InputError(
                f"expected no length of the shorter side for images that are fitted by {fit}, got "
                f"resize={resize}",
                place,
            )
        found["shorter_side"] = None
    else:
        shorter = before.get("shorter_side") if resize is None else resize
        if shorter is None:
            raise InputError(
                'expected the length of the shorter side with fit=shorter, as in ",resize=256"',
                place,
            )
        found["shorter_side"] = shorter
        had = (before.get("height", 0), before.get("width", 0))
        size = chosen.get("crop", had)
        if resize is None and size != had:
            raise InputError(
                f"expected the length of the shorter side beside the size {size[0]} × {size[1]}: "
                f"{shorter} belongs to {had[0]} × {had[1]}. Say it, as in "
                f'",resize={round(shorter * max(size) / max(had))}", or ",resize=none" to stretch '
                "images",
                place,
            )
    if {before.get("colours"), found.get("colours")} == {"RGB", "BGR"}:
        # The mean of red stays that of red.
        turned = {name: before[name][::-1] for name in ("mean", "std") if name in before}
        found = {**turned, **found}
    return found


def _of_takes(takes: Takes, merged: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the network fixes, for where nothing else says it."""
    found: dict[str, Any] = {
        name: getattr(takes, name)
        for name in ("height", "width", "layout", "dtype")
        if getattr(takes, name) is not None
    }
    if takes.n_channels is not None and "colours" not in merged:
        found["colours"] = "L" if takes.n_channels == 1 else "RGB"
    return found


def _refuse_other_input(made: Preprocessing, takes: Takes, place: str) -> None:
    size = (made.height, made.width)
    wanted = (takes.height or size[0], takes.width or size[1])
    if size != wanted:
        raise InputError(
            f"expected images of {size[0]} × {size[1]}, the network takes {wanted[0]} × "
            f'{wanted[1]}: say ",size={wanted[0]}x{wanted[1]}", and how images come to it',
            place,
        )
    if takes.n_channels not in (None, made.n_channels):
        wanted_colours = "L" if takes.n_channels == 1 else "RGB"
        raise InputError(
            f"expected images in {made.colours}, the network takes {takes.n_channels} of a "
            f'pixel: say ",colours={wanted_colours}"',
            place,
        )
    if takes.layout not in (None, made.layout):
        raise InputError(f"expected {made.layout}, the network takes {takes.layout}", place)
    if takes.dtype not in (None, made.dtype):
        raise InputError(f"expected {made.dtype}, the network takes {takes.dtype}", place)
    if made.dtype == "uint8" and (made.scale, made.mean, made.std) != (1.0, (0.0,), (1.0,)):
        raise InputError(
            "expected bytes as they are for a network that takes bytes, got a scale, mean or std: "
            'leave them out, or say ",preset=bytes"',
            place,
        )


def _one_of(text: str, known: tuple[str, ...], also: Mapping[str, str], place: str) -> str:
    folded = {each.lower(): each for each in known}
    found = {**folded, **also}.get(text.lower())
    if found is None:
        raise InputError(
            f'expected one of {", ".join(known)}, got "{text}".'
            f"{did_you_mean(text, [*known, *also])}",
            place,
        )
    return found


def _whole(text: str, place: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) < 1:
        raise InputError(f'expected a whole number from 1, got "{text}"', place)
    return int(text)


_NUMBER: Final = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _number(text: str, place: str) -> float:
    """Return a number, or a fraction such as 1/255."""
    if not re.fullmatch(f"{_NUMBER}(?:/{_NUMBER})?", text):
        raise InputError(
            f'expected a number (or a fraction such as 1/255; several with ":" between), got '
            f'"{text}"',
            place,
        )
    above, _, below = text.partition("/")
    if below and not float(below):
        raise InputError(f'expected a number, got "{text}"', place)
    return float(above) / float(below or 1)
