"""Pictures of numbers, drawn with Matplotlib or Plotly when they are asked for."""

from __future__ import annotations

from snellen.displays.bars import Bars, BarsDisplay
from snellen.displays.display import Display, Words
from snellen.displays.histogram import HistogramDisplay
from snellen.displays.lines import Line, LinesDisplay, Mark
from snellen.displays.matrix import MatrixDisplay
from snellen.displays.points import Points, PointsDisplay
from snellen.displays.spans import Span, SpansDisplay

__all__ = [
    "Bars",
    "BarsDisplay",
    "Display",
    "HistogramDisplay",
    "Line",
    "LinesDisplay",
    "Mark",
    "MatrixDisplay",
    "Points",
    "PointsDisplay",
    "Span",
    "SpansDisplay",
    "Words",
]
