"""``snellen evaluate tracking``: truth and a tracker's results to numbers."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import click

from snellen.cli.limit_options import threads_option
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import check_folder_of, data_warnings_on_stderr, not_empty, output_options

if TYPE_CHECKING:
    from snellen.cli.output import Output
    from snellen.tracking.tracking_result import TrackingResult

__all__ = ["tracking"]

# What readers and the metric call it, and what it is here.
_OPTIONS = {
    'missing="skip"': "--missing skip",
    'missing="zero"': "--missing zero",
    "say which (tracker)": "say which with --tracker",
    "frames that come one by one go without n_frames, and before end_sequence": "is it in two "
    "files?",
}
_METRICS = ("hota", "clear", "identity", "vace", "count", "ideucl", "motmetrics")


def _list_of(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Read words, several with commas or as several options."""
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


@click.command()
@click.argument("truth", type=click.Path())
@click.argument("predictions", type=click.Path())
@click.option(
    "--protocol",
    # The names are repeated here because importing them would import NumPy; a test compares.
    type=click.Choice(
        [
            "plain",
            "mot15",
            "mot16",
            "mot17",
            "mot20",
            "dancetrack",
            "sportsmot",
            "personpath22",
            "ht21",
            "kitti",
            "mots",
            "kitti-mots",
            "bdd100k",
            "visdrone",
            "davis",
        ]
    ),
    default="plain",
    show_default=True,
    help="The benchmark's rules: what is left out before counting, which classes count. plain "
    "leaves nothing out but truth that is marked with 0.",
)
@click.option(
    "--metrics",
    callback=_list_of,
    multiple=True,
    metavar="NAME[,NAME…]",
    help=f"Of {', '.join(_METRICS)}. [default: hota,clear,identity,count]",
)
@click.option(
    "--class",
    "classes",
    callback=_list_of,
    multiple=True,
    metavar="NAME[,NAME…]",
    help="Evaluate these classes, each by itself. [default: the protocol's, else all]",
)
@click.option(
    "--per-sequence",
    is_flag=True,
    help="Print a row for each sequence. [default: for up to 40]",
)
@click.option(
    "--similarity",
    type=click.Choice(
        ["iou", "ioa", "giou", "mask_iou", "mask_ioa", "distance", "iou_3d", "distance_3d"]
    ),
    help="How alike two objects are. [default: the protocol's; of plain what files hold]",
)
@click.option(
    "--zero-distance",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="The distance at which the similarity is 0, in the unit of the data. [default: 2]",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="The least similarity of a match, of CLEAR, identity and VACE.",
)
@click.option(
    "--input-format",
    type=click.Choice(
        ["mot", "kitti", "mots", "kitti-mots", "visdrone", "bdd100k", "coco", "davis", "table"]
    ),
    help="How files are written. [default: as the protocol's, of plain what the content says]",
)
@click.option(
    "--missing",
    type=click.Choice(["error", "zero", "skip"]),
    default="error",
    show_default=True,
    help="What to do with a sequence that one side lacks: stop, take it as one without "
    "predictions, leave it out.",
)
@click.option("--tracker", metavar="NAME", help="Which of several folders of predictions.")
@click.option(
    "--seqmap",
    type=click.Path(),
    help="A file that lists the sequences to be evaluated. [default: that of TrackEval's layout, "
    "where there is one]",
)
@click.option(
    "--first-frame",
    type=click.IntRange(min=0),
    metavar="N",
    help="The number of the first frame. [default: the protocol's, as a rule 1]",
)
@click.option(
    "--blocked-sums",
    is_flag=True,
    help="Add as NumPy before 2.3: to compare with numbers published with it, to the last bit.",
)
@click.option(
    "--events",
    "events_path",
    metavar="FILE.csv",
    type=click.Path(dir_okay=False),
    callback=not_empty,
    help="Write what happened to each object in each frame: match, switch, miss, false positive, "
    "transfer.",
)
@click.option(
    "--tracks",
    "tracks_path",
    metavar="FILE.csv",
    type=click.Path(dir_okay=False),
    callback=not_empty,
    help="Write a row for each object of truth: its life, coverage, switches, fragments.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["snellen", "trackeval"]),
    default="snellen",
    show_default=True,
    help="With trackeval, --out also gets CLASS_summary.txt and CLASS_detailed.csv, as TrackEval "
    "writes them.",
)
@threads_option
@output_options
def tracking(
    truth: str,
    predictions: str,
    protocol: str,
    metrics: tuple[str, ...],
    classes: tuple[str, ...],
    per_sequence: bool,
    similarity: str | None,
    zero_distance: float | None,
    threshold: float,
    input_format: str | None,
    missing: str,
    tracker: str | None,
    seqmap: str | None,
    first_frame: int | None,
    blocked_sums: bool,
    events_path: str | None,
    tracks_path: str | None,
    output_format: str,
    threads: int | None,
    output: Output,
) -> None:
    """HOTA, MOTA, IDF1 and their family, of tracked objects.

    TRUTH and PREDICTIONS are two files, folders or zip archives of sequences, in the layouts of
    MOTChallenge, TrackEval or KITTI or as they come. Numbers are fractions; tables and gates
    (--fail-under HOTA=60) are in percent.
    """
    if output_format == "trackeval" and output.directory is None:
        raise click.UsageError("expected --out DIR with --format trackeval")
    for path in (events_path, tracks_path):
        check_folder_of(path)
    from snellen import _core
    from snellen.errors import SnellenError
    from snellen.readers.tracking_files import read_tracking
    from snellen.result import write_atomically
    from snellen.threads import in_threads, set_threads
    from snellen.tracking.metrics import Tracking

    set_threads(threads)
    # Sequences are read and let go one after the other, several at once.
    _core.return_large_blocks()
    chosen = metrics or ("hota", "clear", "identity", "count")
    if "clear" not in chosen and (events_path is not None or tracks_path is not None):
        raise click.UsageError("expected clear among --metrics, of which --events and --tracks are")
    rules: dict[str, Any] = {"similarity": similarity, "zero_distance": zero_distance}
    with data_warnings_on_stderr(quiet=output.quiet), in_words_of_options(_OPTIONS):
        # Names are refused before files are looked for.
        Tracking(metrics=chosen, protocol=protocol, **rules)
        files = read_tracking(
            truth,
            predictions,
            protocol=protocol,
            format=input_format,
            classes=classes or None,
            missing=missing,  # type: ignore[arg-type]  # one of the choices
            tracker=tracker,
            seqmap=seqmap,
            first_frame=first_frame,
            **rules,
        )
        metric = Tracking(
            metrics=chosen,
            events=events_path is not None,
            protocol=files.protocol,
            threshold=threshold,
            blocked_sums=blocked_sums,
        )
        output = output._replace(gates=_in_fractions(output, metric))
        output.check(metric)
        if not output.quiet:
            for note in files.notes:
                click.echo(f"snellen: {note}", err=True)

        def measured(i: int) -> Tracking:
            sides = files.read(i)
            try:
                return metric.empty().update(*sides)
            except SnellenError as error:
                raise error.within(files.place(i)) from error

        for part in in_threads(measured, range(len(files))):
            metric.merge(part)

    def complete(result: Any) -> Any:
        import dataclasses

        written: dict[Any, bytes] = {}
        if events_path is not None:
            written[events_path] = _table(result.events())
        if tracks_path is not None:
            written[tracks_path] = _table(result.per_track())
        if output_format == "trackeval":
            written |= _trackeval(result, str(output.directory))
        write_atomically(written)
        return dataclasses.replace(result, lists_sequences=True) if per_sequence else result

    output.deliver(metric, complete)


def _in_fractions(output: Output, metric: Any) -> tuple[Any, ...]:
    """Return gates of rates in fractions: above 1 they were meant in percent."""
    known = metric.empty().units().ranges if output.gates else {}
    return tuple(
        gate._replace(lowest=gate.lowest / 100)
        if known.get(gate.metric, (0.0, 0.0))[1] == 1.0 and gate.lowest > 1
        else gate
        for gate in output.gates
    )


def _table(records: list[dict[str, Any]]) -> bytes:
    """Return records as CSV; what is not there is an empty cell."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    if records:
        table.writerow(records[0])
    for record in records:
        table.writerow(["" if value != value else value for value in record.values()])  # NaN
    return text.getvalue().encode()


def _trackeval(result: TrackingResult, directory: str) -> dict[Any, bytes]:
    from pathlib import Path

    from snellen.tracking.trackeval_files import trackeval_files

    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    return {folder / name: data for name, data in trackeval_files(result).items()}
