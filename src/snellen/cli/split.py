"""``snellen split DATA``: a labelled data set in parts, or folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from snellen.cli.output import data_warnings_on_stderr, json_option, not_empty, quiet_option
from snellen.cli.written_paths import WrittenPath, refuse_same

if TYPE_CHECKING:
    from snellen.splits.source import Source
    from snellen.splits.split import Folds, Split

__all__ = ["split"]

# What a manifest, which is delimited text, may be called.
_MANIFESTS = (".csv", ".tsv", ".txt")


def _folds(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Read a number of folds; ``groups`` is 0."""
    if text is None:
        return None
    if text == "groups":
        return 0
    if text.isdecimal() and 2 <= int(text) <= 10_000:
        return int(text)
    raise click.BadParameter(f'expected a number from 2 to 10000, or groups; got "{text}"')


def _names(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(","))


@click.command()
@click.argument("data", type=click.Path(), callback=not_empty)
@click.option("--ratios", metavar="A/B/…", help="Shares of the parts: 60/20/20, 0.8/0.2, ….")
@click.option(
    "--folds",
    callback=_folds,
    metavar="K|groups",
    help="Folds instead of parts; groups leaves out one group after another (needs --group).",
)
@click.option(
    "--repeats",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Rounds of folds, each with a seed of its own.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    default=0,
    show_default=True,
    help="Another seed gives another split.",
)
@click.option(
    "--names",
    callback=_names,
    metavar="NAME,…",
    help="The parts' names. [default: train, val, test; of two: train, test]",
)
@click.option("--key", metavar="COLUMN", help="Of a table: what names the samples.")
@click.option(
    "--stratify",
    default="auto",
    show_default=True,
    metavar="COLUMN|auto|none",
    help="The classes to spread evenly. auto: the class folder, the objects' classes, or a "
    "table's column with a usual name.",
)
@click.option(
    "--group",
    metavar="COLUMN|PATTERN",
    help="What stays together: a column, or a regular expression that is looked for in the keys; "
    "its first parenthesis is the group.",
)
@click.option(
    "--target", metavar="COLUMN", help="Numbers to spread evenly, in bins, instead of classes."
)
@click.option(
    "--bins",
    type=click.IntRange(2, 10_000),
    default=10,
    show_default=True,
    help="How many bins of --target.",
)
@click.option(
    "--strict", is_flag=True, help="Refuse classes with fewer samples than parts or folds."
)
@click.option(
    "--freeze",
    "frozen_parts",
    callback=_names,
    metavar="PART,…",
    help="Keep these parts as they are in --from; what is new joins the others.",
)
@click.option(
    "--from",
    "old_path",
    type=click.Path(dir_okay=False),
    callback=not_empty,
    help="The manifest for --freeze.",
)
@click.option(
    "--verify",
    "verified",
    metavar="MANIFEST",
    type=click.Path(dir_okay=False),
    callback=not_empty,
    help="Split DATA as this manifest says, and name what differs (exit code 1).",
)
@click.option(
    "--out", metavar="FILE.csv", type=WrittenPath(dir_okay=False), help="Write the manifest."
)
@click.option("--copy", metavar="DIR", type=WrittenPath(), help="Copy each part into a folder.")
@click.option("--link", metavar="DIR", type=WrittenPath(), help="The same with symbolic links.")
@click.option(
    "--coco", metavar="DIR", type=WrittenPath(), help="Write a COCO file for each part (COCO data)."
)
@click.option(
    "--yolo",
    metavar="DIR",
    type=WrittenPath(),
    help="Write a list of images for each part, and data.yaml (YOLO data).",
)
@json_option("sizes, classes and deviations")
@quiet_option
@click.pass_context
def split(
    context: click.Context,
    /,
    data: str,
    ratios: str | None,
    folds: int | None,
    repeats: int,
    seed: int,
    names: tuple[str, ...] | None,
    key: str | None,
    stratify: str,
    group: str | None,
    target: str | None,
    bins: int,
    strict: bool,
    frozen_parts: tuple[str, ...] | None,
    old_path: str | None,
    verified: str | None,
    out: str | None,
    json_path: str | None,
    quiet: bool,
    **folders: str | None,
) -> None:
    """Split DATA in parts or folds, the same on every machine.

    DATA is an image folder (class = folder), a table (CSV, TSV, Parquet, JSON lines), a COCO
    annotation file, a YOLO folder or a folder of MOT sequences. Where a sample goes is decided by
    the hash of the seed and its key: the order of the data does not matter, and an image more
    moves few others.
    """
    _check_usage(context, ratios, folds, frozen_parts, old_path, verified)
    _check_outputs(data, out, json_path, folders)
    from snellen.splits.manifest import read_manifest
    from snellen.splits.recipe import Recipe, frozen_by
    from snellen.splits.source import Columns, read_source

    def say(text: str) -> None:
        if not quiet:
            click.echo(f"snellen: {text}", err=True)

    old_path = verified or old_path
    old = None if old_path is None else read_manifest(old_path)
    if verified and old is not None:
        recipe = Recipe.of(old.header.get("recipe"), old.path)
    else:
        columns = Columns(key, stratify, group, target, bins)
        recipe = Recipe(columns, ratios, names, folds, repeats, seed, strict)
    recipe.check()
    source = read_source(data, recipe.columns)
    for note in source.notes:
        say(note)
    frozen = None
    if old is not None:
        parts = frozen_parts or tuple(old.header.get("frozen", ()))
        if parts:
            frozen, gone = frozen_by(old, parts, source)
            if gone and not verified:
                from snellen.errors import first_few

                say(f"{len(gone):,} frozen samples are gone from the data: {first_few(gone)}")
    with data_warnings_on_stderr(quiet=quiet or verified is not None):
        result = recipe.make(source, frozen)
    if verified and old is not None:
        _verify(old, result, quiet)
        return
    _deliver(result, source, recipe.to_dict(), out, folders, json_path, quiet, say)


def _check_usage(
    context: click.Context,
    ratios: str | None,
    folds: int | None,
    frozen_parts: tuple[str, ...] | None,
    old_path: str | None,
    verified: str | None,
) -> None:
    from click.core import ParameterSource

    options = {
        str(param.name): param.opts[0]
        for param in context.command.params
        if context.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    }
    given = set(options)
    if verified is not None:
        others = sorted(options[name] for name in given - {"data", "verified", "quiet"})
        if others:
            raise click.UsageError(
                f"--verify takes all else from the manifest: drop {', '.join(others)}"
            )
        return
    if (ratios is None) == (folds is None):
        raise click.UsageError("expected either --ratios, such as 60/20/20, or --folds K")
    if ratios is None and "names" in given:
        raise click.UsageError("--names goes with --ratios: folds have numbers")
    if folds in (None, 0) and "repeats" in given:
        raise click.UsageError("--repeats goes with --folds K")
    if (frozen_parts is None) != (old_path is None):
        raise click.UsageError("--freeze PART and --from MANIFEST go together")
    if frozen_parts is not None and folds is not None:
        raise click.UsageError("--freeze goes with --ratios")
    if "bins" in given and "target" not in given:
        raise click.UsageError("--bins goes with --target COLUMN")


def _check_outputs(
    data: str, out: str | None, json_path: str | None, folders: dict[str, str | None]
) -> None:
    """Refuse, before the work is done, what cannot be written or would spoil something."""
    from pathlib import Path

    from snellen.errors import InputError
    from snellen.splits.part_files import check_target

    for file in (out, json_path):
        if file is not None and file != "-" and not Path(file).resolve().parent.is_dir():
            raise InputError("expected a folder to write into, there is none: make it", file)
    places = {name: Path(folder) for name, folder in folders.items() if folder is not None}
    for place in places.values():
        check_target(place)
    refuse_same()
    if len({place.resolve() for place in places.values()}) < len(places):
        raise click.UsageError(f"expected folders of their own for --{' and --'.join(places)}.")
    if out is not None and not _is_device(out) and not out.lower().endswith(_MANIFESTS):
        # Whoever reads a table goes by its name: no command would find the manifest in it.
        raise InputError("expected a name that ends in .csv for --out", out)
    for name in ("copy", "link"):
        if name in places and Path(data).resolve() in places[name].resolve().parents:
            raise InputError(
                f"expected a folder for --{name} outside of DATA, where its files would be read "
                "as data, too",
                str(places[name]),
            )


def _is_device(path: str) -> bool:
    from pathlib import Path

    return Path(path).exists() and not Path(path).is_file()


def _verify(old: Any, result: Split | Folds, quiet: bool) -> None:
    from snellen.splits.manifest import differences

    found = differences(old, result)
    if found:
        for text in found:
            click.echo(f"snellen: error: {text} - at {old.path}", err=True)
        raise click.exceptions.Exit(1)
    if not quiet:
        click.echo(f"{old.path}: all {len(old.keys):,} samples are where they should be")


def _deliver(
    result: Split | Folds,
    source: Source,
    recipe: dict[str, Any],
    out: str | None,
    folders: dict[str, str | None],
    json_path: str | None,
    quiet: bool,
    say: Any,
) -> None:
    from snellen.atomic_files import write_atomically
    from snellen.splits.manifest import manifest_bytes
    from snellen.splits.part_files import (
        coco_files,
        files_of_parts,
        write_files,
        write_part_folders,
        yolo_files,
    )

    # All of it is made before the first is written: what is refused leaves nothing behind.
    copy, link, coco, yolo = (folders[name] for name in ("copy", "link", "coco", "yolo"))
    parts = [] if copy is None and link is None else files_of_parts(result, source)
    coco_parts = {} if coco is None else coco_files(result, source)
    yolo_parts = {} if yolo is None else yolo_files(result, source)
    files: dict[Any, bytes] = {}
    if out is not None:
        files[out] = manifest_bytes(result, recipe)
    text = b""
    if json_path is not None:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(result.to_dict()), indent=2) + b"\n"
        if json_path != "-":
            files[json_path] = text

    if copy is not None:
        say(f"copied {write_part_folders(parts, copy, 'copy'):,} files to {copy}")
    if link is not None:
        say(f"linked {write_part_folders(parts, link, 'link'):,} files in {link}")
    if coco is not None:
        say(f"wrote {write_files(coco_parts, coco)} files to {coco}")
    if yolo is not None:
        say(f"wrote {write_files(yolo_parts, yolo)} files to {yolo}")
    write_atomically(files)
    if out is not None:
        say(f"wrote {out}")
    if json_path == "-":
        click.echo(text, nl=False)
    if not quiet and json_path != "-":
        click.echo(str(result))
