"""``snellen evaluate tracking``: truth and a tracker's results to numbers."""

from __future__ import annotations

import contextlib
import csv
import io
from typing import TYPE_CHECKING, Any

import click

from snellen.cli.beside import Beside, example_options
from snellen.cli.limit_options import threads_option
from snellen.cli.number_types import RealRange
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import check_folder_of, data_warnings_on_stderr, output_options
from snellen.cli.written_paths import WrittenPath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from snellen.cli.beside import Wanted
    from snellen.cli.output import Output

__all__ = ["tracking"]

_FAMILIES = ("hota", "clear", "identity", "vace", "count", "ideucl", "motmetrics")
# What is a result of its own.
_ALONE = ("track_map", "j_and_f")
_PROTOCOLS = (
    *("plain", "mot15", "mot16", "mot17", "mot20", "dancetrack", "sportsmot", "personpath22"),
    *("ht21", "kitti", "mots", "kitti-mots", "bdd100k", "visdrone", "tao", "davis"),
)
# Whose files are MOT text.
_MOT_TEXT = _PROTOCOLS[1:9]
# Of track mAP alone; tao is of both.
_TRACK_MAP_PROTOCOLS = ("youtube-vis", "tao-strict", "youtube-vis-strict")
_FORMATS = (
    *("mot", "kitti", "mots", "kitti-mots", "visdrone", "bdd100k", "coco", "davis", "table"),
)
# TAO's rules: so many predictions of an image are kept.
_TAO_CAP = 300

# What readers and the metric call it, and what it is here.
_OPTIONS = {
    'missing="skip"': "--missing skip",
    'missing="zero"': "--missing zero",
    "say which (tracker)": "say which with --tracker",
    "say which it is (format)": "say which it is with --input-format",
    "frames that come one by one go without n_frames, and before end_sequence": "is it in two "
    "files?",
    "say first_frame=0": "say --first-frame 0",
    "KITTI MOTS, whose frames begin at 0, is a layout of its own": "of KITTI MOTS, whose frames "
    "begin at 0, say --protocol kitti-mots",
    "drop_unknown (--drop-unknown)": "--missing skip",
    "(zero_distance)": "(--zero-distance)",
    "truth and predictions swapped": "TRUTH and PREDICTIONS swapped",
    **{f'protocol="{name}"': f"--protocol {name}" for name in _PROTOCOLS},
    **{f'format="{name}"': f"--input-format {name}" for name in _FORMATS},
}
# The places of errors that are options.
_ARGUMENTS = ("classes", "first_frame", "tracker", "seqmap", "similarity", "zero_distance")
# Which metrics an option has a say in.
_SAY = {
    "similarity": _FAMILIES,
    "zero_distance": _FAMILIES,
    "classes": _FAMILIES,
    "per_sequence": _FAMILIES,
    "output_format": _FAMILIES,
    "threshold": ("clear", "identity", "vace", "motmetrics"),
    "blocked_sums": ("hota",),
    "events_path": ("clear",),
    "tracks_path": ("clear",),
    "n_examples": ("clear",),
    "image_folder": ("clear",),
    "semi_supervised": ("j_and_f",),
}


def _list_of(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Read words, several with commas or as several options."""
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


def _classes_of(
    context: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...]:
    """Read names of classes, each of which is evaluated once."""
    names = _list_of(context, option, texts)
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(f'expected each --class once, got "{name}" again.')
    return names


@click.command()
@click.argument("truth", type=click.Path())
@click.argument("predictions", type=click.Path())
@click.option(
    "--protocol",
    # The names are repeated here because importing them would import NumPy; a test compares.
    type=click.Choice([*_PROTOCOLS, *_TRACK_MAP_PROTOCOLS]),
    default="plain",
    show_default=True,
    metavar="NAME",
    help=f"The benchmark's rules: what is left out before counting, which classes count. Of "
    f"{', '.join(_PROTOCOLS)}; of track_map tao, {', '.join(_TRACK_MAP_PROTOCOLS)}. plain leaves "
    "nothing out but truth that is marked with 0.",
)
@click.option(
    "--metrics",
    callback=_list_of,
    multiple=True,
    metavar="NAME[,NAME…]",
    help=f"Of {', '.join(_FAMILIES)}; or one of {', '.join(_ALONE)}, which stand alone. "
    "[default: hota,clear,identity,count]",
)
@click.option(
    "--class",
    "classes",
    callback=_classes_of,
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
    type=RealRange(min=0, min_open=True),
    metavar="N",
    help="The distance at which the similarity is 0, in the unit of the data. [default: 2]",
)
@click.option(
    "--threshold",
    type=RealRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="The least similarity of a match, of CLEAR, identity and VACE.",
)
@click.option(
    "--input-format",
    type=click.Choice(_FORMATS),
    help="How files are written. [default: as the protocol's, of plain what the content says]",
)
@click.option(
    "--missing",
    type=click.Choice(["error", "zero", "skip"]),
    default="error",
    show_default=True,
    help="What to do with a sequence that one side lacks: stop, take it as one without "
    "predictions, leave it out. With skip also records of videos that truth does not list.",
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
    "--semi-supervised",
    is_flag=True,
    help="Of j_and_f: an object's track is the one with its id, and the first and last frames are "
    "left out. [default: the tracks that fit best, all frames]",
)
@click.option(
    "--events",
    "events_path",
    metavar="FILE.csv",
    type=WrittenPath(dir_okay=False),
    help="Write what happened to each object in each frame: match, switch, miss, false positive, "
    "transfer.",
)
@click.option(
    "--tracks",
    "tracks_path",
    metavar="FILE.csv",
    type=WrittenPath(dir_okay=False),
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
@example_options(default="SEQUENCE/img1 in TRUTH, or where else its layout has them")
@output_options
@click.pass_context
def tracking(
    context: click.Context,
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
    semi_supervised: bool,
    events_path: str | None,
    tracks_path: str | None,
    output_format: str,
    threads: int | None,
    output: Output,
) -> None:
    """HOTA, MOTA, IDF1 and their family, of tracked objects.

    TRUTH and PREDICTIONS are each a file, a folder or a zip archive of sequences, in the layouts of
    MOTChallenge, TrackEval or KITTI or as they come. Numbers are fractions; tables are in percent,
    and a gate may be either (--fail-under HOTA=60, HOTA=0.6).
    """
    chosen = _chosen(metrics, protocol)
    _check_use(context, chosen, output)
    for path in (events_path, tracks_path):
        check_folder_of(path)
    from snellen import _core
    from snellen.threads import set_threads

    set_threads(threads)
    # Sequences are read and let go one after the other, several at once.
    _core.return_large_blocks()
    ahead = None
    if protocol in _MOT_TEXT and input_format in (None, "mot") and threads != 1:
        from snellen.readers.track_text_ahead import TextsAhead, requests_of_folders

        # The first files are read while NumPy is being imported.
        ahead = TextsAhead(
            lambda: requests_of_folders(
                truth,
                predictions,
                truth_regions=(13,) if protocol == "personpath22" else (),
                first_frame=1 if first_frame is None else first_frame,
                tracker=tracker,
                seqmap=seqmap,
                missing=missing,
            )
        )
    from snellen.atomic_files import write_atomically
    from snellen.errors import SnellenError
    from snellen.readers.tracking_files import read_tracking
    from snellen.threads import in_threads

    alone = chosen[0] if chosen[0] in _ALONE else None
    with (
        data_warnings_on_stderr(quiet=output.quiet),
        _arguments_are_usage(),
        in_words_of_options(_OPTIONS),
    ):
        # Names of numbers are refused before files are looked for.
        output.check(_metric(chosen, protocol=protocol if alone == "track_map" else "plain"))
        files = read_tracking(
            truth,
            predictions,
            protocol="plain" if alone == "track_map" else protocol,
            format=input_format,
            classes=classes or None,
            missing=missing,  # type: ignore[arg-type]  # one of the choices
            tracker=tracker,
            seqmap=seqmap,
            first_frame=first_frame,
            similarity="mask_iou" if alone == "j_and_f" else similarity,
            zero_distance=zero_distance,
            max_per_image=_TAO_CAP if alone == "track_map" or protocol == "tao" else None,
            unique_ids=protocol == "tao-strict",
            ahead=ahead,
        )
        output.also_reads("sequences", files.beside)
        if zero_distance is not None and not files.protocol.similarity.startswith("distance"):
            raise click.UsageError(
                "expected --zero-distance with --similarity distance or distance_3d, the "
                f"similarity is {files.protocol.similarity}"
            )
        rules: Any = files.protocol
        if alone == "track_map":
            rules = "youtube-vis" if protocol == "plain" and files.by_video else protocol

        def made(*, events: bool) -> Any:
            return _metric(
                chosen,
                protocol=rules,
                threshold=threshold,
                blocked_sums=blocked_sums,
                events=events,
                semi_supervised=semi_supervised,
            )

        # Of a page they are the timeline of switches.
        keeps_events = events_path is not None or (output.report and "clear" in chosen)
        metric = made(events=keeps_events)
        output = output._replace(gates=_in_fractions(output, metric))
        if not output.quiet:
            for note in (*files.notes, *(() if alone else files.notes_of_rules)):
                click.echo(f"snellen: {_in_words(note)}", err=True)

        frames, of_part = None, metric
        if "clear" in chosen and output.wants_examples:
            from snellen.report.tracking.examples import FrameGallery

            frames = FrameGallery(output.n_examples)
            # Frames are chosen by events, which are let go again where nobody else wants them.
            of_part = made(events=True)

        def measured(i: int) -> Any:
            sides: tuple[Any, ...] = files.read(i)
            if alone == "track_map" or files.protocol.judged_classes:
                sides = (*sides, files.judged(i))
            try:
                part = of_part.empty().update(*sides)
            except SnellenError as error:
                raise files.located(i, error) from error
            if frames is None:
                return part, []
            found = frames.found(part.compute(), *sides[:2])
            return part if keeps_events else part.without_events(), found

        for part, found in in_threads(measured, range(len(files))):
            metric.merge(part)
            if frames is not None:
                frames.add(found)
        files.finish()

    of_trackeval: dict[str, bytes] = {}

    def complete(result: Any) -> Any:
        import dataclasses

        if output_format == "trackeval":
            from snellen.tracking.trackeval_files import trackeval_files

            of_trackeval.update(trackeval_files(result))
        written: dict[Any, bytes] = {}
        if events_path is not None:
            from snellen.tracking.tracking_result import EVENT_COLUMNS

            written[events_path] = _table(EVENT_COLUMNS, result.event_rows())
        if tracks_path is not None:
            from snellen.tracking.tracking_result import TRACK_COLUMNS

            rows = (tuple(record.values()) for record in result.per_track())
            written[tracks_path] = _table(TRACK_COLUMNS, rows)
        write_atomically(written)
        return dataclasses.replace(result, lists_sequences=True) if per_sequence else result

    def beside(wanted: Wanted) -> Beside:
        if frames is None:
            return Beside(files=of_trackeval)
        from snellen.cli.frame_pictures import FramePictures

        images = FramePictures(files, output.image_folder)
        examples, pictures = frames.examples(metric.compute(), images)
        wanted.images.missing.extend(images.missing)
        return Beside(examples=examples, pictures=pictures, files=of_trackeval)

    output.deliver(metric, complete, beside, always_beside=output_format == "trackeval")


def _chosen(metrics: tuple[str, ...], protocol: str) -> tuple[str, ...]:
    """Return what is measured; refuse names that there are not, and what does not go together."""
    from snellen.errors import did_you_mean

    of_track_map = protocol in _TRACK_MAP_PROTOCOLS
    chosen = metrics or (("track_map",) if of_track_map else ("hota", "clear", "identity", "count"))
    known = (*_FAMILIES, *_ALONE)
    for name in chosen:
        if name not in known:
            raise click.UsageError(
                f'expected metrics of {", ".join(known)}, got "{name}".{did_you_mean(name, known)}'
            )
    for name in _ALONE:
        if name in chosen and set(chosen) != {name}:
            others = ", ".join(each for each in chosen if each != name)
            raise click.UsageError(
                f"expected {name} by itself, got {others} too: its result is another; run twice."
            )
    if of_track_map and "track_map" not in chosen:
        raise click.UsageError(
            f"expected --metrics track_map, whose rules {protocol} are, got {', '.join(chosen)}."
        )
    if "track_map" in chosen and not of_track_map and protocol not in ("plain", "tao"):
        raise click.UsageError(
            f"expected --protocol tao, {', '.join(_TRACK_MAP_PROTOCOLS)} with --metrics "
            f"track_map, got {protocol}."
        )
    if "j_and_f" in chosen and protocol not in ("plain", "davis"):
        raise click.UsageError(
            f"expected --protocol plain or davis with --metrics j_and_f, got {protocol}."
        )
    return chosen


def _check_use(context: click.Context, chosen: tuple[str, ...], output: Output) -> None:
    """Refuse options that have no say in what is measured."""
    given = click.core.ParameterSource.COMMANDLINE
    for parameter in context.command.params:
        metrics = _SAY.get(parameter.name or "")
        if metrics is None or context.get_parameter_source(str(parameter.name)) != given:
            continue
        if not set(metrics).intersection(chosen):
            raise click.UsageError(
                f"expected {parameter.opts[0]} with --metrics {' or '.join(metrics)} only, it has "
                f"no say in {', '.join(chosen)}."
            )
    if output.sureness.wanted and chosen[0] in _ALONE:
        raise click.UsageError(f"expected no --intervals, there are none of {chosen[0]} yet.")
    if context.params["output_format"] == "trackeval" and output.directory is None:
        raise click.UsageError("expected --out DIR with --format trackeval.")


def _metric(
    chosen: tuple[str, ...],
    *,
    protocol: Any,
    semi_supervised: bool = False,
    threshold: float = 0.5,
    blocked_sums: bool = False,
    events: bool = False,
) -> Any:
    if chosen[0] == "j_and_f":
        from snellen.tracking.j_and_f import JAndF

        return JAndF(
            match="id" if semi_supervised else "J",
            inner_frames=semi_supervised,
        )
    if chosen[0] == "track_map":
        from snellen.tracking.track_map import TrackMap

        return TrackMap(protocol="tao" if protocol == "plain" else protocol)
    from snellen.tracking.metrics import Tracking

    return Tracking(
        metrics=chosen,
        protocol=protocol,
        # The default is nobody's wish: not all metrics have a threshold.
        threshold=None if threshold == 0.5 else threshold,
        blocked_sums=blocked_sums or None,
        events=events,
    )


@contextlib.contextmanager
def _arguments_are_usage() -> Iterator[None]:
    """Take what is wrong with an argument, and not with data, for wrong usage."""
    from snellen.errors import InputError

    try:
        yield
    except InputError as error:
        if error.place in _ARGUMENTS:
            end = "" if error.message.endswith("?") else "."
            raise click.UsageError(f"{error.message}{end}") from error
        raise


def _in_words(note: str) -> str:
    for argument, option in _OPTIONS.items():
        note = note.replace(argument, option)
    return note


def _in_fractions(output: Output, metric: Any) -> tuple[Any, ...]:
    """Return gates of rates in fractions: beyond 1 they were meant in percent."""
    if not output.gates:
        return ()
    every = {"": (0.0, 1.0)}
    ranges = metric.empty().units().ranges if hasattr(metric, "units") else every
    return tuple(
        gate._replace(lowest=gate.lowest / 100)
        if ranges.get(gate.metric, ranges[""])[1] == 1.0 and abs(gate.lowest) > 1
        else gate
        for gate in output.gates
    )


def _table(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Return rows as CSV; what is not there is an empty cell."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    if columns:
        table.writerow(columns)
    # The last cell may be NaN, a similarity of no pair.
    table.writerows((*row[:-1], "") if row[-1] != row[-1] else row for row in rows)
    return text.getvalue().encode()
