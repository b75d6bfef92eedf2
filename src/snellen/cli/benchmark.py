"""``snellen benchmark``: which of these networks to use: quality and frame rate, side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import click

from snellen.cli.gates import Gate, gates
from snellen.cli.number_types import RealRange
from snellen.cli.output import (
    check_folder_of,
    data_warnings_on_stderr,
    json_option,
    not_empty,
    quiet_option,
)
from snellen.cli.page import check_plotly, write_page
from snellen.cli.recording import origin_of
from snellen.cli.written_paths import WrittenPath, refuse_same

if TYPE_CHECKING:
    from snellen.benchmark.result import BenchmarkResult

__all__ = ["benchmark"]

# What is written to the folder itself.
_FILES: Final = ("index.html", "table.csv", "result.json", "run.json", "report.html")


def _sizes(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Read whole numbers from 1 with commas."""
    if text is None:
        return ()
    try:
        sizes = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        sizes = (0,)
    if min(sizes) < 1:
        raise click.BadParameter(f'expected whole numbers from 1, such as 1,8,32; got "{text}"')
    return sizes


def _finite(_: click.Context, __: click.Parameter, seconds: float) -> float:
    """Refuse what would be measured for ever."""
    if not math.isfinite(seconds):
        raise click.BadParameter(f"expected a number of seconds, got {seconds}")
    return seconds


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@click.option(
    "--data",
    required=True,
    metavar="PATH|NAME",
    callback=not_empty,
    help="Labelled images: a folder of class folders, a flat folder (with --labels), a manifest or "
    "table of paths, idx files, tar shards, fashion-mnist; or a table of labels alone.",
)
@click.option(
    "--labels",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The labels of a flat folder: a file and its label in each line, or labels in the order "
    "of the files.",
)
@click.option(
    "--synsets",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The order of ImageNet's devkit (meta.mat, map_clsloc.txt), where --labels is its ground "
    "truth.",
)
@click.option(
    "--real",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="ImageNet's reassessed labels (real.json): accuracy by these, too.",
)
@click.option(
    "--classes",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The names of the classes that labels are numbers of: a name a line, or JSON; or "
    "imagenet.",
)
@click.option("--part", metavar="NAME", help="The part of a split. [default: test]")
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="The folder that paths of a table start from. [default: the table's own]",
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help="Only so many images, drawn by --seed.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--device",
    metavar="NAME",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda, cuda:1; of ONNX Runtime also tensorrt.",
)
@click.option(
    "--threads",
    metavar="N",
    type=click.IntRange(min=1),
    help="Of the processor, for one network and for its images. [default: all]",
)
@click.option(
    "--batch-size",
    metavar="N",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    help="Of predictions, throughput and end-to-end speed.",
)
@click.option(
    "--batch-sizes",
    metavar="N,…",
    callback=_sizes,
    help="Throughput at these, too: 1,8,32,128.",
)
@click.option(
    "--rounds",
    metavar="N",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How often each speed is measured; the networks take turns.",
)
@click.option(
    "--seconds",
    metavar="S",
    type=RealRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    callback=_finite,
    help="How long each speed is measured at least, in a round.",
)
@click.option("--speed/--no-speed", default=True, help="Measure speed, too. [default: yes]")
@click.option(
    "--together",
    metavar="N",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Up to so many networks stay in memory; of more each is loaded anew for its turn.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=WrittenPath(file_okay=False),
    help="The folder of results and predictions; what is there is not predicted again. "
    "[default: runs/benchmark-DATA]",
)
@click.option("--strict", is_flag=True, help="Stop at images that cannot be read.")
@click.option("--per-class", is_flag=True, help="Print the recall of each class, too.")
@click.option(
    "--report",
    is_flag=True,
    help="Write report.html to the folder, too: the page of every network's results side by side.",
)
@click.option(
    "--fail-under",
    "least",
    metavar="METRIC=VALUE",
    callback=gates,
    multiple=True,
    help="Exit with 3 where the metric of any model is below the value; may be repeated.",
)
@json_option("the result")
@quiet_option
def benchmark(
    models: tuple[str, ...],
    data: str,
    labels: str | None,
    synsets: str | None,
    real: str | None,
    classes: str | None,
    part: str | None,
    root: str | None,
    limit: int | None,
    seed: int,
    device: str,
    threads: int | None,
    batch_size: int,
    batch_sizes: tuple[int, ...],
    rounds: int,
    seconds: float,
    speed: bool,
    together: int,
    out: str | None,
    strict: bool,
    per_class: bool,
    report: bool,
    least: tuple[Gate, ...],
    json_path: str | None,
    quiet: bool,
) -> None:
    """Measure pretrained networks on the same images: quality and frame rate, side by side.

    A MODEL is onnx:FILE, torch:package.module:function (or a TorchScript or torch.export file),
    keras:NAME (of keras.applications, or a file), timm:NAME, torchvision:NAME, snellen:RUN (a
    network trained here), or predictions:FILE (what another program predicted). What follows with
    commas says more: onnx:r50.onnx,preset=imagenet,name=R50.

        snellen benchmark --data imagenet/val keras:ResNet50 timm:vit_small_patch16_224

    Predictions are stored as they come: the same command goes on where one was interrupted.
    """
    from snellen.atomic_files import write_atomically
    from snellen.benchmark.benchmarking import (
        Settings,
        benchmark,
        default_folder,
        refuse_unknown_metrics,
    )
    from snellen.benchmark.progress import Progress, no_progress
    from snellen.benchmark.written import json_bytes

    check_folder_of(json_path)
    if report:
        check_plotly()
    refuse_unknown_metrics([gate.metric for gate in least])
    folder = out or default_folder(data)
    refuse_same(
        files=[f"{folder}/{name}" for name in _FILES],
        # Of onnx:FILE,preset=… the file.
        read=[data, *((m.partition(":")[2] or m).partition(",")[0] for m in models)],
    )
    settings = Settings(
        device=device,
        threads=threads,
        batch_size=batch_size,
        batch_sizes=batch_sizes,
        rounds=rounds,
        seconds=seconds,
        speed=speed,
        together=together,
    )
    try:
        with data_warnings_on_stderr(quiet=quiet):
            result = benchmark(
                models,
                data,
                out=folder,
                labels=labels,
                synsets=synsets,
                real=real,
                classes=classes,
                part=part,
                root=root,
                limit=limit,
                seed=seed,
                strict=strict,
                settings=settings,
                progress=no_progress() if quiet else Progress(),
                origin=origin_of(click.get_current_context()),
            )
    except KeyboardInterrupt:
        if not quiet:
            click.echo(
                f"snellen: predictions so far are kept in {folder}: the same command goes on",
                err=True,
            )
        raise
    if report:
        write_page(str(folder))
    if json_path is not None:
        text = json_bytes(result.to_dict())
        if json_path == "-":
            click.echo(text, nl=False)
        else:
            write_atomically({json_path: text})
    if not quiet and json_path != "-":
        click.echo(str(result))
        if per_class:
            click.echo(f"\n{result.class_table()}")
    if not quiet:
        click.echo(f"wrote {folder}; page: {folder}/index.html", err=True)
        if report:
            click.echo(f"results: {folder}/report.html", err=True)
    _check(result, least)


def _check(result: BenchmarkResult, least: tuple[Gate, ...]) -> None:
    failed = False
    for model in result.models:
        for gate in least:
            value = model.result.metrics.get(gate.metric)
            if value is not None and value >= gate.lowest:
                continue
            failed = True
            if value is not None:
                said = gate.describe(model.result)
            elif model.scores == "any":
                said = f"{gate.metric} is not known: of the scores only the order counts"
            else:
                said = f"{gate.metric} is not known: there are labels and no scores"
            click.echo(f"snellen: {model.name}: {said}", err=True)
    if failed:
        raise click.exceptions.Exit(3)
