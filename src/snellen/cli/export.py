"""``snellen export``: a trained network for other programs."""

from __future__ import annotations

import click

from snellen.cli.number_types import RealRange
from snellen.cli.output import quiet_option
from snellen.cli.written_paths import WrittenPath

__all__ = ["export"]


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@click.argument("path", type=WrittenPath())
@click.option(
    "--format",
    "kind",
    type=click.Choice(["onnx", "torch", "safetensors", "keras"]),
    help="ONNX; a program of torch.export; weights with their description; a Keras model. "
    "[default: as PATH ends: .onnx, .pt2, .safetensors, .keras]",
)
@click.option(
    "--tolerance",
    type=RealRange(min=0, min_open=True),
    default=1e-4,
    show_default=True,
    help="How far outputs may be from the network's own, as a part of the largest.",
)
@quiet_option
def export(run: str, path: str, kind: str | None, tolerance: float, quiet: bool) -> None:
    """Write the network of a RUN for other programs, checked on its test data.

    The file takes raw images, any number at a time, and gives what the network gives.
    """
    from snellen.training import export_command

    text = export_command.exported(run, path, kind, tolerance)
    if not quiet:
        click.echo(text)
