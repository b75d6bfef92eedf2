"""``snellen predict``: what a trained network says of images, or of the rows of a table."""

from __future__ import annotations

import click

from snellen.cli.output import data_warnings_on_stderr, not_empty, quiet_option
from snellen.cli.written_paths import WrittenPath, refuse_same

__all__ = ["predict"]


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@click.argument("images", nargs=-1, required=True, type=click.Path())
@click.option(
    "--out",
    metavar="PATH",
    required=True,
    type=WrittenPath(),
    help="The table (CSV); of a segmentation the folder of label images.",
)
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(file_okay=False),
    callback=not_empty,
    help="Ids are paths below this folder. [default: below the folder in IMAGES]",
)
@click.option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True)
@click.option("--strict", is_flag=True, help="Stop at images that cannot be read.")
@quiet_option
def predict(
    run: str,
    images: tuple[str, ...],
    out: str,
    root: str | None,
    batch_size: int,
    strict: bool,
    quiet: bool,
) -> None:
    """Predict for IMAGES (files and folders) with the network of a RUN.

    For a network that was trained on columns of a table, IMAGES is one table that has them. What is
    written, `snellen evaluate` reads.
    """
    refuse_same()
    from snellen.training.predicting import predict_files
    from snellen.training.trained_network import load_trained

    with data_warnings_on_stderr(quiet=quiet):
        done = predict_files(
            load_trained(run),
            images[0] if len(images) == 1 else list(images),
            out,
            root=root,
            batch_size=batch_size,
            strict=strict,
        )
    if not quiet:
        for note in done.notes:
            click.echo(f"snellen: {note}", err=True)
        click.echo(f"{done.n_samples:,} predictions: {done.path}")
