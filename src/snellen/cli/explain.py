"""``snellen explain TRUTH PREDICTIONS --against TOOL``: why another tool gives another number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from snellen.cli.detection_input import detection_file_options
from snellen.cli.limit_options import threads_option
from snellen.cli.output import check_folder_of, json_option, quiet_option
from snellen.cli.written_paths import refuse_same

if TYPE_CHECKING:
    from snellen.cli.detection_input import DetectionFiles

__all__ = ["TOOL_NAMES", "explain"]

# Repeated here because importing them would import NumPy; a test compares.
TOOL_NAMES: Final = (
    *("pycocotools", "faster-coco-eval", "torchmetrics", "ultralytics", "ultralytics-8.3"),
    *("supervision", "fiftyone", "tidecv", "voc12", "voc07"),
)


def _tool(_: click.Context, __: click.Parameter, name: str) -> str:
    """Take the name of a tool, or ``all``."""
    known = (*TOOL_NAMES, "voc", "all")
    if name in known:
        return name
    from snellen.errors import did_you_mean

    raise click.BadParameter(
        f'expected one of {", ".join(known)}; got "{name}".{did_you_mean(name, known)}'
    )


@click.command()
@click.option(
    "--against",
    required=True,
    callback=_tool,
    metavar="TOOL",
    help=f"The other tool: {', '.join(TOOL_NAMES)} (voc is voc12); or all, for a line of each.",
)
@click.option(
    "--similarity",
    type=click.Choice(["box", "mask", "keypoints"]),
    help="What is compared: IoU of boxes or masks, or keypoints (OKS). [default: of COCO what "
    "predictions have: boxes, else masks, else keypoints; of other formats what TRUTH has]",
)
@detection_file_options
@click.option("--per-class", is_flag=True, help="Print AP of each class by both rules, too.")
@json_option("the explanation")
@threads_option
@quiet_option
def explain(
    files: DetectionFiles,
    against: str,
    similarity: str | None,
    per_class: bool,
    json_path: str | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Say why another tool gives another average precision.

    AP is computed by COCO's rules, and then with the rules of the other tool, one after the other:
    how much each of them moves it, after those before and alone. The last number is what the tool
    says. TRUTH and PREDICTIONS are files as snellen evaluate detection takes them.
    """
    from snellen.threads import set_threads

    set_threads(threads)
    if per_class and against == "all":
        raise click.UsageError("expected one tool with --per-class, got all.")
    check_folder_of(json_path)
    refuse_same()
    opened = files.opened(similarity, quiet=quiet)

    from snellen.detection.explanation import explain as explain_one
    from snellen.detection.explanation import explain_each
    from snellen.detection.explanation_result import tools_table
    from snellen.detection.protocols import COCO
    from snellen.detection.tools import tools_without

    truth, pred = opened.columns(COCO)
    if against == "all":
        results = explain_each(truth, pred)
        left_out = tools_without(truth.kind)
        if left_out and not quiet:
            click.echo(f"snellen: of such objects unknown: {', '.join(left_out)}", err=True)
        found: dict[str, Any] = {"explanations": [result.to_dict() for result in results]}
        text = tools_table(results)
    else:
        result = explain_one(truth, pred, against=against)
        found = result.to_dict()
        text = f"{result}\n\n{result.composition()}"
    if json_path is not None:
        _write(found, json_path)
    if not quiet and json_path != "-":
        click.echo(text)
        if per_class:
            from snellen.cli.class_table import print_per_class

            print_per_class(result)


def _write(found: dict[str, Any], json_path: str) -> None:
    import msgspec

    from snellen.atomic_files import write_atomically

    text = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    if json_path == "-":
        click.echo(text, nl=False)
    else:
        write_atomically({json_path: text})
