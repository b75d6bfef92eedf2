"""One module a side of the detection benchmarks, each with some of the same functions.

* ``from_files(truth, predictions, kind)``: two COCO files to the printed lines.
* ``numbers(truth, predictions, kind)``: the precision array (T, R, K, A, M) and the headline
  numbers: COCO's twelve, ten of keypoints, thirteen of LVIS.
* ``from_arrays(truth, rows)``: truth in the side's own form, made here and not timed; returns the
  timed function, which goes from detections in memory to the twelve numbers. ``rows`` is an array
  of image id, left, top, width, height, score, category id.

Kind is ``"bbox"`` (the default), ``"segm"``, ``"keypoints"``, or ``"lvis"``: boxes by LVIS' rules.
Each side does it in the fastest way that its own documentation shows.
"""
