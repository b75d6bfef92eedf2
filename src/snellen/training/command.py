"""What ``snellen train`` does: descriptions from options, the folder of a run, what is printed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, did_you_mean
from snellen.training.choices import Choice
from snellen.training.description import Description, Every, read_description
from snellen.training.settings import setting, value_of, with_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snellen.training.cross_validation import CrossValidated
    from snellen.training.result import TrainedRun

__all__ = [
    "asked_description",
    "changes_of",
    "goes_on",
    "proof",
    "refuse_unknown",
    "replayed",
    "run_folder",
    "shortfall",
    "table",
    "trained",
    "write_json",
    "written",
]


def asked_description(
    path: str | None,
    given: Mapping[str, Any],
    settings: Sequence[str],
    resume: str | None,
    n_folds: int | None,
    *,
    strict: bool,
) -> Description:
    """Return the description that a command line asks for.

    Parameters
    ----------
    path : str or None
        The file of a description; without it, that of the run that is resumed.
    given : mapping
        Keys and their values, over those of the file.
    settings : sequence of str
        More of them, as ``KEY=VALUE``.
    resume : str or None
        The folder of the run that is to go on.
    n_folds : int or None
        Of a cross-validation.
    strict : bool
        Whether images that cannot be read end the training.
    """
    base = None
    if path is not None:
        base = read_description(path)
    elif resume is not None:
        base = _begun(resume)
    elif "data" not in given and not any(text.startswith("data=") for text in settings):
        raise InputError(
            "expected a description or data: snellen train --data fashion-mnist --network cnn"
        )
    changes = changes_of(given, settings)
    if n_folds is not None:
        changes.append(("n_folds", n_folds))
    if strict:
        changes.append(("data.strict", True))
    content = with_settings({} if base is None else base.plain(), changes)
    if base is None:
        return Description.of(content)
    changed = {name.partition(".")[0] for name, _value in changes}
    return base.changed(**{name: content[name] for name in changed})


def _begun(folder: str) -> Description:
    """Return the description of a run, or of a cross-validation, that is in a folder."""
    from snellen.training.run_folder import RunFolder

    run, first = RunFolder(folder), RunFolder(Path(folder, "fold-1"))
    if run.is_run or not first.is_run:
        return run.description()
    n_folds = first.read("run.json")["data"]["fold"]["n_folds"]
    return dataclasses.replace(first.description(), n_folds=n_folds)


def changes_of(given: Mapping[str, Any], settings: Sequence[str]) -> list[tuple[str, Any]]:
    """Return what options of a command change of a description, in order."""
    changes = [(name, _read(value)) for name, value in given.items()]
    return [*changes, *(setting(text) for text in settings)]


def _read(value: Any) -> Any:
    """Return what an option stands for: a list or a table in TOML, such as layers, or a name."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        found = value_of(value)
        if isinstance(found, str):
            raise InputError(f"expected a name, or a list or a table as in TOML, got {value}")
        return found
    return value


def table(description: Description) -> str:
    """Return the network of a description as a table: layers, shapes, parameters, operations."""
    from snellen.training.data.source import open_data
    from snellen.training.network.build import build_network
    from snellen.training.network.summary import network_table
    from snellen.training.randomness import unchanged_randomness

    data = open_data(description.data, task=description.task, seed=description.seed)
    with unchanged_randomness():
        network = build_network(
            description.network,
            data.train.input_shape,
            data.n_outputs,
            initialisation=description.initialisation,
            seed=description.seed,
            task=data.task,
        )
        return str(network_table(network, data.train.input_shape))


def run_folder(description: Description, out: str | None, resume: str | None) -> str:
    """Return the folder of the run: the one that is named, or a new one."""
    if resume is not None and out is not None and Path(resume) != Path(out):
        raise InputError(f"expected to go on in {resume}, got --out {out}: leave it out")
    return resume or out or _new_folder(description)


def trained(
    description: Description, folder: str, *, resume: bool, stop_after: str | None, quiet: bool
) -> TrainedRun | CrossValidated:
    """Train, with the log files and the progress of a command line."""
    from snellen.training.callbacks.progress import Progress
    from snellen.training.callbacks.stop_after import StopAfter
    from snellen.training.cross_validation import cross_validate
    from snellen.training.training import train

    progress = Progress()
    callbacks: list[Any] = [] if quiet else [progress]
    if stop_after is not None:
        callbacks.append(StopAfter(Every.parsed(stop_after, "--stop-after")))
    if description.n_folds is not None:
        return cross_validate(
            description, out=folder, callbacks=callbacks, resume=resume, before=progress.of
        )
    return train(description, out=folder, callbacks=callbacks, resume=resume)


def tested_folder(run: TrainedRun | CrossValidated) -> str | None:
    """Return the folder of the run that was tested, of folds the final one's; None without."""
    from snellen.training.cross_validation import CrossValidated

    whole = run.final if isinstance(run, CrossValidated) else run
    return None if whole is None or whole.result is None else whole.folder


def goes_on(folder: str) -> str:
    """Return how a run that was interrupted goes on; empty where nothing of it was saved."""
    saved = any(Path(folder).glob("**/checkpoints/*.ckpt"))
    return f"snellen train --resume {folder} goes on" if saved else ""


def written(folder: str) -> str:
    """Return where a run and its page lie."""
    pages = (Path(folder, *within, "index.html") for within in ((), ("final",)))
    page = next((path for path in pages if path.is_file()), None)
    return f"wrote {folder}" if page is None else f"wrote {folder}; page: {page}"


def _new_folder(description: Description) -> str:
    """Return a folder that there is not: runs/DATA-NETWORK, from the second on with a number."""
    network = description.network
    layers = network.name if isinstance(network, Choice) else "layers"
    words = [Path(description.data.name).stem, layers]
    name = "-".join("".join(c if c.isalnum() else "-" for c in word).strip("-") for word in words)
    k = 1
    while True:
        path = Path("runs", name if k == 1 else f"{name}-{k}")
        if not path.exists():
            return str(path)
        k += 1


def proof(description: Description, *, quiet: bool) -> str:
    """Kill and resume the training of a description; return what was seen."""
    from snellen.training.resumption import prove_resume

    if not quiet:
        import click

        text = "training it, then killing and resuming it after three different updates …"
        click.echo(f"snellen: {text}", err=True)
    return str(prove_resume(description))


def replayed(folder: str, step: int) -> str:
    """Do one step of a run again; return what was seen."""
    from snellen.training.resumption import replay

    return str(replay(folder, step))


def refuse_unknown(description: Description, names: Sequence[str]) -> None:
    """Refuse a number that the test part will not have, before anything is trained.

    Raises
    ------
    InputError
        With the nearest one that it will have.
    """
    from snellen.training.data.source import open_data
    from snellen.training.tasks import final_names

    data = open_data(description.data, task=description.task, seed=description.seed)
    known = ("loss", *final_names(data.task, data.classes))
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f" There are {', '.join(known)}."
            raise InputError(f'expected a number of the test part, got "{name}".{hint}')


def write_json(
    run: TrainedRun | CrossValidated, path: str | None, echo: Callable[..., None]
) -> None:
    """Write the result of a run to a file, or with ``-`` to stdout."""
    if path is None:
        return
    import msgspec

    from snellen.atomic_files import write_atomically

    text = msgspec.json.format(msgspec.json.encode(run.to_dict()), indent=2) + b"\n"
    if path == "-":
        echo(text, nl=False)
    else:
        write_atomically({path: text})


def shortfall(run: TrainedRun | CrossValidated, metric: str, lowest: float) -> str:
    """Return in words by what a number misses its lowest value.

    Raises
    ------
    InputError
        Where there is no such number.
    """
    if metric not in run.metrics:
        hint = did_you_mean(metric, run.metrics) or f" There are {', '.join(run.metrics)}."
        raise InputError(f'expected a number of the test part, got "{metric}".{hint}')
    return f"{metric} is {run.metrics[metric]:.6g}, below {lowest:g}"
