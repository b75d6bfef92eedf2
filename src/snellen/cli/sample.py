"""``snellen sample TASK``: small data sets to try things on."""

from __future__ import annotations

import click

from snellen.cli.output import quiet_option
from snellen.cli.written_paths import WrittenPath

__all__ = ["sample"]


@click.group()
def sample() -> None:
    """Make a seeded sample data set."""


@sample.command()
@click.argument("directory", type=WrittenPath(file_okay=False))
@click.option("--images", default=200, show_default=True, type=click.IntRange(min=0))
@click.option("--boxes", default=1500, show_default=True, type=click.IntRange(min=0))
@click.option("--detections", default=6000, show_default=True, type=click.IntRange(min=0))
@click.option("--classes", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--masks", is_flag=True, help="Write the detections as masks, too: masks.json.")
@click.option("--no-images", is_flag=True, help="Make no pictures.")
@quiet_option
def detection(
    directory: str,
    images: int,
    boxes: int,
    detections: int,
    classes: int,
    seed: int,
    masks: bool,
    no_images: bool,
    quiet: bool,
) -> None:
    """Truth, predictions and pictures of a detector that never was.

    DIRECTORY gets truth.json, predictions.json and images/: the same bytes for the same numbers,
    on every machine. Classes are long-tailed; the detector misplaces, confuses, repeats, misses.
    """
    from snellen.samples.detection import make_detection_sample

    made = make_detection_sample(
        directory,
        n_images=images,
        n_boxes=boxes,
        n_detections=detections,
        n_classes=classes,
        seed=seed,
        draw_images=not no_images,
        masks=masks,
    )
    if not quiet:
        click.echo(f"{made.truth}\n{made.predictions}")
        if made.masks is not None:
            click.echo(made.masks)
        if made.images is not None:
            click.echo(made.images)


@sample.command()
@click.argument("directory", type=WrittenPath(file_okay=False))
@click.option("--samples", default=2000, show_default=True, type=click.IntRange(min=0))
@click.option("--people", default=500, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@quiet_option
def regression(directory: str, samples: int, people: int, seed: int, quiet: bool) -> None:
    """Ages of people in photos, and the estimates of a network that never was.

    DIRECTORY gets truth.csv (id, age, person) and predictions.csv (id, age): the same bytes for the
    same numbers, on every machine.
    """
    from snellen.samples.regression import make_regression_sample

    made = make_regression_sample(directory, n_samples=samples, n_people=people, seed=seed)
    if not quiet:
        click.echo(f"{made.truth}\n{made.predictions}")


@sample.command()
@click.argument("directory", type=WrittenPath(file_okay=False))
@click.option("--images", default=600, show_default=True, type=click.IntRange(min=0))
@click.option("--scenes", default=120, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--no-images", is_flag=True, help="Make no pictures.")
@quiet_option
def classification(
    directory: str, images: int, scenes: int, seed: int, no_images: bool, quiet: bool
) -> None:
    """Pictures of shapes, and the scores of two networks that never were.

    DIRECTORY gets truth.csv (id, label, group), a.csv and b.csv (id, a score for each class; b is a
    bit better) and images/ with class folders: the same bytes for the same numbers, on every
    machine. Some images are copies of others, or nearly so, in another group.
    """
    from snellen.samples.classification import make_classification_sample

    made = make_classification_sample(
        directory, n_images=images, n_scenes=scenes, seed=seed, draw_images=not no_images
    )
    if not quiet:
        click.echo(made.truth)
        for table in made.predictions:
            click.echo(table)
        if made.images is not None:
            click.echo(made.images)


@sample.command()
@click.argument("directory", type=WrittenPath(file_okay=False))
@click.option("--images", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--width", default=320, show_default=True, type=click.IntRange(min=16))
@click.option("--height", default=192, show_default=True, type=click.IntRange(min=16))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--no-images", is_flag=True, help="Make no pictures.")
@quiet_option
def segmentation(
    directory: str, images: int, width: int, height: int, seed: int, no_images: bool, quiet: bool
) -> None:
    """Streets, their label maps, and those of a network that never was.

    DIRECTORY gets classes.json, truth/ and predictions/ (PNG files of class ids), images/, and in
    panoptic/ the same as segments, in COCO's format: the same bytes for the same numbers, on every
    machine. Boundaries wobble; look-alikes are confused, small things missed, some imagined.
    """
    from snellen.samples.segmentation import make_segmentation_sample

    made = make_segmentation_sample(
        directory,
        n_images=images,
        width=width,
        height=height,
        seed=seed,
        draw_images=not no_images,
    )
    if not quiet:
        click.echo(f"{made.classes}\n{made.truth}\n{made.predictions}")
        if made.images is not None:
            click.echo(made.images)
        click.echo(f"{made.panoptic_truth}\n{made.panoptic_predictions}")


@sample.command()
@click.argument("directory", type=WrittenPath(file_okay=False))
@click.option("--sequences", default=3, show_default=True, type=click.IntRange(min=0))
@click.option("--frames", default=120, show_default=True, type=click.IntRange(min=1))
@click.option("--objects", default=12, show_default=True, type=click.IntRange(min=0))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--no-images", is_flag=True, help="Make no pictures.")
@quiet_option
def tracking(
    directory: str,
    sequences: int,
    frames: int,
    objects: int,
    seed: int,
    no_images: bool,
    quiet: bool,
) -> None:
    """Pedestrians before a camera, and two trackers that never were.

    DIRECTORY gets truth/ (gt.txt, seqinfo.ini and some pictures of each sequence, in MOTChallenge's
    layout), predictions/ and predictions_b/ (a text for each sequence; b is better): the same bytes
    for the same numbers, on every machine. Tracks start late, break, drift, change persons where
    two cross; some follow nobody.
    """
    from snellen.samples.tracking import make_tracking_sample

    made = make_tracking_sample(
        directory,
        n_sequences=sequences,
        n_frames=frames,
        n_objects=objects,
        seed=seed,
        draw_images=not no_images,
    )
    if not quiet:
        click.echo(f"{made.truth}\n{made.predictions}\n{made.predictions_b}")
