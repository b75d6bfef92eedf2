"""``snellen protocol``: the rules of evaluations."""

from __future__ import annotations

import click

__all__ = ["protocol"]


@click.command()
@click.argument("name", required=False)
def protocol(name: str | None) -> None:
    """Print the rules of detection evaluations.

    Without NAME those that have one, a line each. With it, all its rules as JSON, for a file of
    one's own: change what should be otherwise, and give it to evaluate detection --protocol
    FILE.json. NAME may be such a file, too.
    """
    import json

    from snellen.detection.protocols import PROTOCOLS
    from snellen.readers.detection_protocol import detection_protocol

    if name is None:
        for each in PROTOCOLS.values():
            click.echo(str(each))
        return
    click.echo(json.dumps(detection_protocol(name).to_dict(), indent=2))
