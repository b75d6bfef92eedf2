"""Pictures of numbers, drawn with Matplotlib or Plotly when they are asked for."""

from __future__ import annotations

from snellen.displays.bars import Bars, BarsDisplay, HistogramDisplay
from snellen.displays.display import Display, Words
from snellen.displays.lines import Line, LinesDisplay, Mark
from snellen.displays.matrix import MatrixDisplay
from snellen.displays.points import Points, PointsDisplay, Span, SpansDisplay

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
