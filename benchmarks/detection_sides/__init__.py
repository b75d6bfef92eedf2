"""One module a side of the detection benchmark, each with the same three functions.

* ``from_files(truth, predictions)``: two COCO files to the twelve printed lines.
* ``numbers(truth, predictions)``: the precision array (T, R, K, A, M) and the twelve numbers.
* ``from_arrays(truth, rows)``: truth in the side's own form, made here and not timed; returns the
  timed function, which goes from detections in memory to the twelve numbers. ``rows`` is an array
  of image id, left, top, width, height, score, category id.

Each side does it in the fastest way that its own documentation shows.
"""
