"""Tables of one row an object in a frame, whose columns have names: CSV, Parquet, JSON, NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from snellen.errors import InputError, SchemaError, did_you_mean
from snellen.readers.column_names import first_of
from snellen.readers.message_text import few, printable
from snellen.readers.sample_columns import finite_matrix, group_column_of
from snellen.readers.table import read_table
from snellen.readers.track_rows import made_of_rows
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.table import Table

__all__ = ["TrackTable", "read_track_table"]

Layout = Literal["xyxy", "xywh", "cxcywh", "box3d", "xyz", "xy"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# In each list, of several columns the name that comes first wins.
_FRAMES: Final = _words(
    "frame frame_id frame_index frame_idx frame_number frame_no frame_num frameid frameindex "
    "timestep time_step t"
)
_IDS: Final = _words(
    "track_id trackid track tracker_id object_id obj_id objectid instance_id target_id person_id "
    "identity tid oid id"
)
_SEQUENCES: Final = _words(
    "sequence sequence_id sequence_name seq seq_id seq_name video video_id video_name clip clip_id"
)
_LABELS: Final = _words(
    "label class category class_name category_name label_name class_id category_id label_id type "
    "object_type"
)
_SCORES: Final = _words("score confidence conf probability prob detection_score")
_COUNTED: Final = _words("counted")
# MOTChallenge's column 7: in truth a mark of 0 says that an object is not counted.
_FLAGS: Final = _words("flag mark conf confidence score")
_REGIONS: Final = _words("region ignore ignored ignore_region iscrowd is_crowd crowd")
_EXTRA: Final = {
    "visibility": _words("visibility vis"),
    "occlusion": _words("occlusion occluded"),
    "truncation": _words("truncation truncated"),
}
# The layouts by how much they say; of each, the names that its numbers usually have.
_LAYOUTS: Final[Mapping[Layout, tuple[tuple[str, ...], ...]]] = {
    "box3d": tuple(map(_words, ("x y z l w h yaw", "x y z length width height yaw"))),
    "xyxy": tuple(
        map(
            _words,
            (
                "x1 y1 x2 y2",
                "xmin ymin xmax ymax",
                "x_min y_min x_max y_max",
                "x0 y0 x1 y1",
                "left top right bottom",
                "bb_left bb_top bb_right bb_bottom",
                "bbox_left bbox_top bbox_right bbox_bottom",
                "bbox_x1 bbox_y1 bbox_x2 bbox_y2",
                "box_x1 box_y1 box_x2 box_y2",
                "xyxy.0 xyxy.1 xyxy.2 xyxy.3",
                "box2d.x1 box2d.y1 box2d.x2 box2d.y2",
            ),
        )
    ),
    "xywh": tuple(
        map(
            _words,
            (
                "x y w h",
                "x y width height",
                "left top width height",
                "left top w h",
                "bb_left bb_top bb_width bb_height",
                "bbox_left bbox_top bbox_width bbox_height",
                "bbox_x bbox_y bbox_w bbox_h",
                "bbox_x bbox_y bbox_width bbox_height",
                "xmin ymin width height",
                "x1 y1 width height",
                "x1 y1 w h",
                "xywh.0 xywh.1 xywh.2 xywh.3",
            ),
        )
    ),
    "cxcywh": tuple(
        map(
            _words,
            (
                "cx cy w h",
                "cx cy width height",
                "xc yc w h",
                "x_center y_center width height",
                "center_x center_y width height",
                "x_centre y_centre width height",
                "centre_x centre_y width height",
                "cxcywh.0 cxcywh.1 cxcywh.2 cxcywh.3",
            ),
        )
    ),
    "xyz": (_words("x y z"),),
    "xy": (_words("x y"), _words("cx cy")),
}
# A list in a cell, whose name does not say in which order its numbers are.
_BARE_BOXES: Final = _words("bbox box bounding_box bb")
_MEANING: Final[Mapping[Layout, str]] = {
    "box3d": "boxes in space (x, y, z, length, width, height, yaw)",
    "xyxy": "boxes (left, top, right, bottom)",
    "xywh": "boxes (left, top, width, height)",
    "cxcywh": "boxes (centre, width, height)",
    "xyz": "points (x, y, z)",
    "xy": "points (x, y)",
}
_WIDTH: Final[Mapping[Layout, int]] = {
    "box3d": 7,
    "xyxy": 4,
    "xywh": 4,
    "cxcywh": 4,
    "xyz": 3,
    "xy": 2,
}


class TrackTable(NamedTuple):
    """What a table holds.

    Attributes
    ----------
    tracks : Tracks
        Its rows.
    notes : tuple of str
        Which column was taken for what, for people.
    """

    tracks: Tracks
    notes: tuple[str, ...]


def read_track_table(
    path: str | os.PathLike[str],
    *,
    truth: bool,
    frame_column: str | None = None,
    id_column: str | None = None,
    sequence_column: str | None = None,
    label_column: str | None = None,
    score_column: str | None = None,
    box_columns: Sequence[str] | None = None,
    layout: Layout | None = None,
    sequence: int | str | None = None,
    classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
    class_numbers: Mapping[int, str] | None = None,
    default_class: int | None = None,
    region_classes: Collection[str] = (),
    n_frames: int | Mapping[Any, int] | None = None,
) -> TrackTable:
    r"""Read a table of truth or predicted objects.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv``, ``.txt``, ``.parquet``, ``.json``, ``.jsonl``, ``.npz``; see
        `snellen.readers.table.read_table`. Columns must have names.
    truth : bool
        Whether it holds truth: its columns ``counted`` and ``region`` (``ignore``, ``iscrowd``),
        and ``visibility``, ``occlusion`` and ``truncation`` are read, and no scores. Without a
        column ``counted``, one of ``flag``, ``mark``, ``conf``, ``confidence`` and ``score`` whose
        values are all 0 or 1 is MOTChallenge's mark: 0 is not counted.
    frame_column, id_column, sequence_column, label_column, score_column : str, optional
        Columns that are called otherwise than usual. Ids, classes and sequences are whole numbers
        or texts; there need be no column of sequences, classes or scores.
    box_columns : sequence of str, optional
        The columns of the coordinates, in the order of `layout`. Or the one column of lists.
    layout : {"xyxy", "xywh", "cxcywh", "box3d", "xyz", "xy"}, optional
        What the coordinates are. Without, their names say it: ``x1, y1, x2, y2``,
        ``x, y, w, h``, ``cx, cy, w, h``, ``x, y, z, l, w, h, yaw``, ``x, y, z``, ``x, y``, and
        others that are usual.
    sequence : int or str, optional
        The id of the sequence, where no column names it.
    classes : mapping of id to name, or sequence of names, optional
        All classes; those that occur where not given. Without it a column that is -1 throughout,
        as in predictions of MOTChallenge, is none of classes.
    class_numbers : mapping of int to str, optional
        What the classes are called that a column has as whole numbers; where it is empty, such
        numbers mean nothing. Texts in the column are names.
    default_class : int, optional
        Of `class_numbers`: the class of predictions whose number is less than 1.
    region_classes : collection of str
        Classes of truth that are areas to be ignored.
    n_frames : int, or mapping of sequence id to int, optional
        How many frames sequences have.

    Returns
    -------
    TrackTable

    Raises
    ------
    SchemaError, ClassError, IdError, InputError
        The message names file and line, or row.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "pred.csv")
    >>> _ = path.write_text("frame,id,x,y,w,h,conf\n1,7,0,0,10,20,0.9\n")
    >>> tracks, notes = read_track_table(path, truth=False)
    >>> tracks.track.tolist(), tracks.shape.xyxy.tolist()
    ([7], [[0.0, 0.0, 10.0, 20.0]])
    """
    table = _named_table(path)
    frame = _required(table, frame_column, _FRAMES, "frames", "frame_column")
    track = _required(table, id_column, _IDS, "track ids", "id_column")
    kind, coordinates = _coordinates(table, box_columns, layout, {frame, track})
    taken = {frame, track, *coordinates}
    group = _optional(table, sequence_column, _SEQUENCES, taken)
    label = _optional(table, label_column, _LABELS, taken)
    score = None if truth else _optional(table, score_column, _SCORES, taken)
    marks: dict[str, str] = {}
    remarks: dict[str, str] = {}  # of columns that look as if they said something
    if truth:
        lists = {"counted": _COUNTED, "region": _REGIONS, **_EXTRA}
        marks = {
            what: name
            for what, usual in lists.items()
            if (name := _optional(table, None, usual, taken)) is not None
        }
    flag = None
    if truth and "counted" not in marks:
        flag = _optional(table, None, _FLAGS, taken | set(marks.values()))
        if flag is not None and not _are_flags(table, flag):
            remarks[flag] = "of truth is not looked at, as it is not 0 or 1 throughout"
            flag = None

    columns: dict[str, Any] = {
        "frame": _whole(table, frame, "frames"),
        "track_id": _ids(table, track, "track ids"),
        "sequence": sequence if group is None else group_column_of(table, group, slice(None)),
        "n_frames": n_frames,
        "classes": classes,
    }
    if label is not None:
        labels = _ids(table, label, "classes")
        nothing = ""
        if classes is None and labels.dtype.kind == "i":
            nothing = _no_classes(labels, class_numbers)
            columns["classes"] = class_numbers
            if not truth and default_class is not None:
                labels = np.where(labels < 1, default_class, labels)
        if nothing:
            columns["classes"] = None
            remarks[label] = nothing
            label = None
        else:
            columns["label"] = labels
    if score is not None:
        columns["score"] = _numbers(table, [score], "scores")[:, 0]
    found = {what: _numbers(table, [name], "marks")[:, 0] for what, name in marks.items()}
    columns |= {what: found.pop(what) for what in ("counted", "region") if what in found}
    columns["extra"] = found
    if flag is not None:
        columns["counted"] = _numbers(table, [flag], "flags")[:, 0]
    if truth and region_classes and label is not None:
        area = _of_classes(columns["label"], region_classes, columns["classes"])
        columns["region"] = area | (np.asarray(columns.get("region", 0)) != 0)
    box = _numbers(table, coordinates, "coordinates")
    _refuse_negative(table, box, kind)
    makers: dict[Layout, Any] = {
        "box3d": Tracks.from_boxes_3d,
        "xyxy": Tracks.from_xyxy,
        "xywh": Tracks.from_xywh,
        "cxcywh": Tracks.from_cxcywh,
    }
    make = makers.get(kind, Tracks.from_points)
    region = columns.get("region", np.zeros(table.n_rows)) != 0
    keys = {
        "track": table[track].codes,
        "frame": columns["frame"],
        "area": np.where(region, np.arange(1, table.n_rows + 1), 0),
    }
    if group is not None:
        keys["sequence"] = table[group].codes
    tracks = made_of_rows(lambda: make(box, **columns), table.path, table.place, **keys)
    named = {
        "frames": frame,
        "track ids": track,
        "sequences": group,
        "classes": label,
        "scores": score,
        **marks,
        "flags (0: not counted)": flag,
    }
    parts = [f'{what} in "{printable(name)}"' for what, name in named.items() if name is not None]
    parts.append(f"{_MEANING[kind]} in {', '.join(map(printable, coordinates))}")
    said = [", ".join(parts)]
    said += [f'"{printable(name)}" {remark}' for name, remark in remarks.items()]
    used = {*coordinates, *named.values(), *remarks}
    unused = [name for name in table.names if name not in used]
    if unused:
        said.append(f"not used: {few(unused, 8)}")
    return TrackTable(tracks, (*table.notes, f"{table.path}: {'; '.join(said)}"))


def _are_flags(table: Table, name: str) -> bool:
    """Return whether a column has the values 0 and 1 only."""
    if not table.n_rows:  # whose columns are of no kind
        return True
    if table[name].kind == "text":
        return False
    values = table[name].array()
    return bool(((values == 0) | (values == 1)).all())


def _no_classes(labels: NDArray[np.int64], class_numbers: Mapping[int, str] | None) -> str:
    """Return why whole numbers are no classes; nothing where they are."""
    if len(labels) and (labels == -1).all():
        return "is -1 throughout: no classes"
    if class_numbers is not None and not class_numbers:
        return "is not looked at, as all objects are of one class"
    return ""


def _of_classes(
    labels: NDArray[Any], names: Collection[str], classes: Mapping[int, str] | None
) -> NDArray[np.bool_]:
    """Return which labels are of classes that are given by name."""
    wanted = list(names)
    if labels.dtype.kind == "i":
        wanted_numbers = [number for number, name in (classes or {}).items() if name in names]
        return np.isin(labels, wanted_numbers)
    return np.isin(labels, wanted)


def _named_table(path: str | os.PathLike[str]) -> Table:
    try:
        table = read_table(path)
    except SchemaError:
        # Whether the first line has names could not be told, or the file is wrong anyhow.
        table = read_table(path, header=True)
    if not table.named:
        raise SchemaError(
            "expected a first line that names the columns (frame, track_id, x1, y1, x2, y2, …), "
            "got rows alone: name them, or read the file as MOT text",
            table.path,
        )
    return table


def _optional(table: Table, name: str | None, usual: Sequence[str], taken: set[str]) -> str | None:
    if name is not None:
        _ = table[name]  # says what is missing
        return name
    return first_of(usual, [each for each in table.names if each not in taken])


def _required(table: Table, name: str | None, usual: Sequence[str], what: str, option: str) -> str:
    found = _optional(table, name, usual, set())
    if found is None:
        raise SchemaError(
            f"expected a column of {what} ({few(usual, 4)}), got {few(table.names, 12)}: name it "
            f"({option}).{did_you_mean(usual[0], table.names)}",
            table.path,
        )
    return found


def _coordinates(
    table: Table, given: Sequence[str] | None, layout: Layout | None, taken: set[str]
) -> tuple[Layout, list[str]]:
    if layout is not None and layout not in _LAYOUTS:
        raise InputError(f'expected a layout of {", ".join(_LAYOUTS)}, got "{layout}"', "layout")
    if given is not None:
        return _given_coordinates(table, given, layout)
    lower = {name.lower(): name for name in table.names if name not in taken}
    for kind, choices in _LAYOUTS.items():
        if layout in (None, kind):
            for choice in choices:
                if all(name in lower for name in choice):
                    return kind, [lower[name] for name in choice]
    bare = next((name for name in _BARE_BOXES if f"{name}.0" in lower), None)
    if bare is None:
        raise SchemaError(
            "expected columns of coordinates (x1, y1, x2, y2, or x, y, w, h, or cx, cy, w, h, or "
            f"x, y), got {few(table.names, 12)}: name them (box_columns, layout)",
            table.path,
        )
    return _given_coordinates(table, [lower[f"{bare}.0"].rsplit(".", 1)[0]], layout)


def _given_coordinates(
    table: Table, given: Sequence[str], layout: Layout | None
) -> tuple[Layout, list[str]]:
    names = list(given)
    if len(names) == 1 and names[0] not in table and f"{names[0]}.0" in table:
        width = sum(name.startswith(f"{names[0]}.") for name in table.names)
        names = [f"{given[0]}.{k}" for k in range(width)]
    if layout is None:
        by_width: dict[int, Layout] = {7: "box3d", 3: "xyz", 2: "xy"}
        if len(names) not in by_width:
            raise SchemaError(
                "expected to be told what the coordinates are: name the layout, xyxy (left, top, "
                "right, bottom), xywh (left, top, width, height) or cxcywh (centre, width, "
                f"height); got {few(names, 8)}",
                table.path,
            )
        layout = by_width[len(names)]
    if len(names) != _WIDTH[layout]:
        raise SchemaError(
            f"expected {_WIDTH[layout]} columns of coordinates for {layout}, got {len(names)}: "
            f"{few(names, 8)}",
            table.path,
        )
    for name in names:
        _ = table[name]  # says what is missing
    return layout, names


def _numbers(table: Table, names: Sequence[str], what: str) -> NDArray[np.float64]:
    if not table.n_rows:  # whose columns are of no kind
        return np.zeros((0, len(names)))
    return finite_matrix(table, names, slice(None), what)


def _whole(table: Table, name: str, what: str) -> NDArray[np.int64]:
    column = table[name]
    if column.kind == "integer":
        whole: NDArray[np.int64] = column.array()
        return whole
    values = _numbers(table, [name], what)[:, 0]
    wrong = (values != np.floor(values)) | (np.abs(values) >= 2**53)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f'expected whole numbers in column "{name}" (with a point below 2^53), '
            f"got {values[row]:.17g}",
            table.place(row),
        )
    return values.astype(np.int64)


def _ids(table: Table, name: str, what: str) -> NDArray[Any]:
    """Return ids as whole numbers or texts."""
    column = table[name]
    if table.n_rows and column.kind == "text":
        texts: NDArray[Any] = column.array()
        empty = texts == ""
        if empty.any():
            raise SchemaError(
                f'expected {what} in column "{name}", got an empty cell',
                table.place(int(np.argmax(empty))),
            )
        return texts
    return _whole(table, name, what)


def _refuse_negative(table: Table, box: NDArray[np.float64], kind: Layout) -> None:
    if kind == "xyxy":
        sizes, what = box[:, 2:] - box[:, :2], "right and bottom of at least left and top"
    elif kind in ("xywh", "cxcywh"):
        sizes, what = box[:, 2:], "a width and height of at least 0"
    elif kind == "box3d":
        sizes, what = box[:, 3:6], "a length, width and height of at least 0"
    else:
        return
    wrong = np.asarray((sizes < 0).any(axis=1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"expected {what}, got {box[row].tolist()}", table.place(row))
