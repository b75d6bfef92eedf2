"""The head of a page of results: the headline numbers, where they lie, and by which rules."""

from __future__ import annotations

import math
from html import unescape
from typing import TYPE_CHECKING

from snellen.report.markup import element, figure, plain_value, spoken, text
from snellen.report.run_view import lines_of

if TYPE_CHECKING:
    from snellen.report.run_view import RunView
    from snellen.result import Interval, Result

__all__ = ["facts", "folded", "headline", "protocol_line", "shown_number"]

_LARGE = 4
_SMALL = 10
# The rules have a line of their own, why a number is undefined stands below it; "numbers" says in
# what unit a table in a terminal is, and those of a page are fractions.
_SAID_ELSEWHERE = frozenset(("protocol", "undefined", "numbers"))


def headline(view: RunView, *, compared: bool = False) -> str:
    """Return the headline numbers of a run with their intervals, and what they were made of.

    Parameters
    ----------
    view : RunView
        The run.
    compared : bool
        Whether the numbers stand in a table beside those of other runs already.
    """
    result = view.result
    if compared:
        return _rules(view)
    names = list(result.metrics)
    main = [name for name in view.record.headline if name in result.metrics] or names
    # A row that is not full looks as if something were missing.
    large = main if len(main) <= _LARGE + 1 else main[:_LARGE]
    no_shares = {*view.record.lower_is_better, *view.record.neither_is_better}
    tiles = "".join(_tile(result, name, is_share=name not in no_shares) for name in large)
    others = [name for name in names if name not in large]
    seen = others if len(others) <= _SMALL + 2 else others[:_SMALL]
    more, rest = (
        "".join(_small(result, name) for name in part) for part in (seen, others[len(seen) :])
    )
    return (
        element("ul", tiles, class_="tiles", aria_label="Headline numbers")
        + (_list_of(more) if more else "")
        + (folded(f"{len(others) - len(seen)} more numbers", _list_of(rest)) if rest else "")
        + _rules(view)
    )


def folded(title: str, content: str) -> str:
    """Return what is seen when its title is chosen."""
    return element("details", element("summary", text(title)) + content)


def shown_number(value: float) -> str:
    """Return a headline number; counts among them are whole.

    Examples
    --------
    >>> shown_number(0.5), shown_number(72.0), shown_number(1.0)
    ('0.5000', '72', '1.0000')
    """
    whole = isinstance(value, float) and value.is_integer() and 1 < abs(value) < 1e15
    return _with_minus(figure(int(value) if whole else value))


def _with_minus(number: str) -> str:
    return f"−{number[1:]}" if number.startswith("-") else number


def _list_of(items: str) -> str:
    return element("dl", items, class_="numbers")


def _rules(view: RunView) -> str:
    result = view.result
    made_of = "".join(
        element("div", element("dt", text(name)) + element("dd", text(value)))
        for name, value in lines_of(result)
        if name not in _SAID_ELSEWHERE
    )
    return (
        element("p", element("b", "Protocol") + " " + text(protocol_line(result)), class_="rules")
        + _intervals_line(view)
        + (element("dl", made_of, class_="made-of") if made_of else "")
        + _undefined(result)
    )


def protocol_line(result: Result) -> str:
    """Return the rules of a result in one line."""
    found = result.protocol_text or dict(lines_of(result)).get("protocol")
    if found:
        return found
    shown = {name: value for name, value in result.protocol.items() if _is_plain(value)}
    name = [str(shown.pop("name"))] if "name" in shown else []
    if name and isinstance(shown.get("rule"), str):  # the same in words
        return f"{name[0]}: {shown['rule']}"
    return ", ".join(
        [*name, *(f"{spoken(key)} {unescape(plain_value(value))}" for key, value in shown.items())]
    )


def facts(view: RunView) -> str:
    """Return what to look at first."""
    found = view.parts.facts
    if found is None or not found.lines:
        return ""
    lines = "".join(element("li", text(line)) for line in found.lines)
    return element("ul", lines, class_="findings")


def _tile(result: Result, name: str, *, is_share: bool) -> str:
    interval = result.intervals.get(name)
    value = result.metrics[name]
    return element(
        "li",
        element("span", text(name), class_="name")
        + element("b", shown_number(value) + _unit(result, name))
        # A loss may be larger than 1: a line that ends there would mislead.
        + (_range(value, interval) if is_share else "")
        + element("small", _between(interval) or _why(result, name)),
        class_="tile",
    )


def _unit(result: Result, name: str) -> str:
    unit = result.unit_of(name)
    return " " + element("span", text(unit), class_="unit") if unit else ""


def _small(result: Result, name: str) -> str:
    between = _between(result.intervals.get(name)) or _why(result, name)
    return element(
        "div",
        element("dt", text(name))
        + element("dd", shown_number(result.metrics[name]) + _unit(result, name))
        + (element("dd", between, class_="between") if between else ""),
    )


def _between(interval: Interval | None) -> str:
    if interval is None or math.isnan(interval.low):
        return ""
    return f"{_with_minus(figure(interval.low))} to {_with_minus(figure(interval.high))}"


def _range(value: float, interval: Interval | None) -> str:
    """Return a line from 0 to 1 with the interval on it, for numbers that are shares."""
    bounds = () if interval is None else (interval.low, interval.high)
    if not bounds or any(not 0 <= each <= 1 for each in (value, *bounds)):
        return ""
    low, high = bounds
    shapes = (
        element("rect", class_="ground", x=0, y=2, width=100, height=2)
        + element(
            "rect", class_="between", x=f"{100 * low:.2f}", y=1, height=4,
            width=f"{max(100 * (high - low), 0.8):.2f}",
        )
        + element("rect", class_="value", x=f"{100 * value - 0.4:.2f}", y=0, width=0.8, height=6)
    )  # fmt: skip
    return element(
        "svg", shapes, class_="range", viewBox="0 0 100 6", preserveAspectRatio="none",
        aria_hidden="true",
    )  # fmt: skip


def _intervals_line(view: RunView) -> str:
    result = view.result
    if not result.intervals:
        command = view.record.command
        # Of other tasks they are not asked for, and missing where there are none.
        asked = {"--intervals", "--no-intervals"}.intersection(command)
        if result.task != "detection" or "evaluate" not in command or asked:
            return ""
        said = (
            "none were asked for: snellen evaluate detection … --intervals says how far the "
            "numbers would move with other images"
        )
        return element("p", element("b", "Intervals") + " " + text(said), class_="rules")
    lines = [" ".join(line.split()).removeprefix("intervals ") for line in result.interval_lines()]
    return element("p", element("b", "Intervals") + " " + text("; ".join(lines)), class_="rules")


def _why(result: Result, name: str) -> str:
    value = result.metrics[name]
    if isinstance(value, float) and math.isnan(value):
        for each in result.undefined:
            if each.metric == name and each.class_name is None:
                return text(each.reason)
        return "undefined"
    return ""


def _undefined(result: Result) -> str:
    """Return, folded, which numbers of classes are undefined."""
    found = result.undefined_of_classes()
    if not found:
        return ""
    reasons: dict[str, int] = {}
    for each in found:
        reasons[each.reason] = reasons.get(each.reason, 0) + 1
    lines = "".join(
        element("li", text(f"{n:,} × {reason}"))
        for reason, n in sorted(reasons.items(), key=lambda each: -each[1])[:20]
    )
    return element(
        "details",
        element(
            "summary",
            "1 number of a class is undefined: why"
            if len(found) == 1
            else f"{len(found):,} numbers of single classes are undefined: why",
        )
        + element("ul", lines),
    )


def _is_plain(value: object) -> bool:
    return value not in (None, "") and not isinstance(value, (list, tuple, dict))
