"""The page of a run: one HTML file that needs nothing but itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.report.markup import element, text
from snellen.report.style import style
from snellen.training.pages.curves import curves
from snellen.training.pages.evaluation import all_metrics, classes, confusions, images
from snellen.training.pages.overview import head, name_of
from snellen.training.pages.setup import choices, network, notes, settings, time_spent

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["run_page"]

# Nothing is loaded and nothing is run, whatever the data hold.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def run_page(run: Mapping[str, Any]) -> str:
    """Return the page of a run that is finished, or goes on.

    It is one file without scripts: charts are SVG, images are in it. It is light or dark as the
    reader's device is, and fits a telephone. Whatever comes from data is escaped. What the run
    does not have is left out.

    Parameters
    ----------
    run : mapping
        As it lies in ``run.json`` of a run's folder: ``name``, ``device``, ``threads``,
        ``description``, ``history``, ``best_epoch``, ``data``, ``network``, ``rewrites``,
        ``choices``, ``seconds`` by phase, ``metrics`` and ``measured_on``, ``stop_reason``,
        ``notes``, ``versions``; and what lies beside it:
        ``result``, what the test gave (`Result.to_dict`); ``confusion``, with the names of
        ``classes`` and ``counts``, a row for each true class; ``images``, each with ``png``
        (bytes), ``id``, ``truth``, ``pred`` and ``score``; ``step_rows``, as the log of steps has
        them.

    Returns
    -------
    str
        HTML, to be written as UTF-8.

    Examples
    --------
    >>> page = run_page({"description": {"network": "fc", "data": "<digits>", "epochs": 1}})
    >>> "fc on &lt;digits&gt;" in page
    True
    """
    description = run.get("description") or {}
    sections = (
        curves(run),
        confusions(run),
        classes(run),
        images(run),
        all_metrics(run),
        time_spent(run),
        network(run),
        choices(run),
        settings(run),
        notes(run),
    )
    versions = ", ".join(f"{text(k)} {text(v)}" for k, v in (run.get("versions") or {}).items())
    name = text(run.get("name") or "") or name_of(description.get("network", "network"))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{name}: a training</title>\n<style>{style()}</style>\n</head>\n<body>\n"
        + head(run)
        + element("main", "\n".join(section for section in sections if section))
        + (element("footer", versions) if versions else "")
        + "\n</body>\n</html>\n"
    )
