#include "snellen/mot_events.hpp"

#include <nanobind/stl/tuple.h>

#include <cmath>
#include <cstdint>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "pair_lists.hpp"
#include "snellen/assignment.hpp"
#include "snellen/box_distances.hpp"

namespace snellen::bind {
namespace {

// The same as in pair_lists.hpp, and that there are n_groups with n_rows in all.
void check_groups(const char* name, const In1<std::int64_t>& begin, std::size_t n_groups,
                  std::size_t n_rows) {
  check_length(name, begin.size(), n_groups + 1);
  check_begins(name, begin);
  check_length(name, static_cast<std::size_t>(begin.data()[n_groups]), n_rows);
}

// Pairs lie within their frame, ascend in each truth row, and have distances.
void check_pairs(const MotFrames& frames) {
  for (std::size_t t = 0; t < frames.n_frames; ++t) {
    for (std::int64_t i = frames.truth_begin[t]; i < frames.truth_begin[t + 1]; ++i) {
      std::int64_t least = frames.pred_begin[t];
      for (std::int64_t p = frames.pair_begin[i]; p < frames.pair_begin[i + 1]; ++p) {
        const std::int64_t pred = frames.pair_pred[p];
        if (pred < least || pred >= frames.pred_begin[t + 1]) {
          const std::string text = "expected ascending rows of the same frame as pair_pred, got " +
                                   std::to_string(pred) + " in pair " + std::to_string(p);
          throw nb::value_error(text.c_str());
        }
        if (!std::isfinite(frames.distance[p])) {
          const std::string text =
              "expected finite distances, got another in pair " + std::to_string(p);
          throw nb::value_error(text.c_str());
        }
        least = pred + 1;
      }
    }
  }
}

template <class T>
Out<T> copied(const std::vector<T>& values) {
  Column<T> column;
  column.reserve(values.size());
  for (const T value : values) column.push_back(value);
  return to_numpy(std::move(column));
}

template <class T>
std::vector<T> as_vector(const In1<T>& values) {
  return std::vector<T>(values.data(), values.data() + values.size());
}

// A matching that two threads may hold: the GIL does not guard it while it works.
class MotEvents {
 public:
  explicit MotEvents(double max_switch_time) : matching_(max_switch_time) {}

  void update(const MotFrames& frames, std::size_t n_truth_tracks, std::size_t n_pred_tracks,
              bool raw, MotEventColumns& events) {
    const std::lock_guard<std::mutex> alone(mutex_);
    matching_.update(frames, n_truth_tracks, n_pred_tracks, raw, events);
  }
  MotMemory memory() {
    const std::lock_guard<std::mutex> alone(mutex_);
    return matching_.memory();
  }
  void restore(MotMemory memory) {
    const std::lock_guard<std::mutex> alone(mutex_);
    matching_.restore(std::move(memory));
  }

 private:
  std::mutex mutex_;
  MotMatching matching_;
};

Out<std::int32_t> best_matching(In1<std::int64_t> begin, In1<std::int32_t> column,
                                In1<double> score, std::size_t n_columns) {
  check_begins("begin", begin);
  const std::size_t n_rows = begin.size() - 1;
  check_groups("begin", begin, n_rows, column.size());
  check_length("score", score.size(), column.size());
  check_codes("column", column, n_columns);
  for (std::size_t i = 0; i < score.size(); ++i) {
    if (score.data()[i] > 0 && std::isfinite(score.data()[i])) continue;
    throw nb::value_error("expected scores above 0, finite");
  }
  Column<std::int32_t> column_of_row;
  column_of_row.resize_uninitialised(n_rows);
  {
    const nb::gil_scoped_release released;
    BestMatching().solve({n_rows, n_columns, begin.data(), column.data(), score.data()},
                         column_of_row.data());
  }
  return to_numpy(std::move(column_of_row));
}

using Memory = std::tuple<std::int64_t, Out<std::int32_t>, Out<double>, Out<std::int64_t>,
                          Out<std::int32_t>, Out<std::int64_t>>;

Memory memory_of(MotEvents& self) {
  MotMemory memory;
  {
    const nb::gil_scoped_release released;
    memory = self.memory();
  }
  return {memory.n_frames,
          copied(memory.pred_of_truth),
          copied(memory.time_of_truth),
          copied(memory.frame_of_truth),
          copied(memory.truth_of_pred),
          copied(memory.frame_of_pred)};
}

}  // namespace

void bind_mot_events(nb::module_& m) {
  nb::class_<MotEvents>(m, "MotEvents",
                        "Frames come in order; out come the events of CLEAR MOT as columns.")
      .def(nb::init<double>(), nb::kw_only(), nb::arg("max_switch_time"))
      .def(
          "update",
          [](MotEvents& self, In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin,
             In1<std::int32_t> truth_track, In1<std::int32_t> pred_track,
             In1<std::int64_t> pair_begin, In1<std::int32_t> pair_pred, In1<double> distance,
             In1<double> time, std::size_t n_truth_tracks, std::size_t n_pred_tracks, bool raw) {
            const std::size_t n_frames = time.size();
            check_groups("truth_begin", truth_begin, n_frames, truth_track.size());
            check_groups("pred_begin", pred_begin, n_frames, pred_track.size());
            check_groups("pair_begin", pair_begin, truth_track.size(), pair_pred.size());
            check_length("distance", distance.size(), pair_pred.size());
            check_codes("truth_track", truth_track, n_truth_tracks);
            check_codes("pred_track", pred_track, n_pred_tracks);
            const MotFrames frames{n_frames,           truth_begin.data(), pred_begin.data(),
                                   truth_track.data(), pred_track.data(),  pair_begin.data(),
                                   pair_pred.data(),   distance.data(),    time.data()};
            check_pairs(frames);
            MotEventColumns events;
            {
              const nb::gil_scoped_release released;
              self.update(frames, n_truth_tracks, n_pred_tracks, raw, events);
            }
            return std::make_tuple(
                to_numpy(std::move(events.frame)), to_numpy(std::move(events.kind)),
                to_numpy(std::move(events.truth)), to_numpy(std::move(events.pred)),
                to_numpy(std::move(events.distance)));
          },
          nb::arg("truth_begin").noconvert(), nb::arg("pred_begin").noconvert(),
          nb::arg("truth_track").noconvert(), nb::arg("pred_track").noconvert(),
          nb::arg("pair_begin").noconvert(), nb::arg("pair_pred").noconvert(),
          nb::arg("distance").noconvert(), nb::arg("time").noconvert(), nb::kw_only(),
          nb::arg("n_truth_tracks"), nb::arg("n_pred_tracks"), nb::arg("raw"),
          "Events of more frames: frame, kind, truth row, pred row (-1: none), distance.")
      .def("memory", memory_of,
           "Number of frames; by truth track: pred track matched last, time last seen, frame last "
           "matched; by pred track: truth track assigned last, frame last matched.")
      .def(
          "restore",
          [](MotEvents& self, std::int64_t n_frames, In1<std::int32_t> pred_of_truth,
             In1<double> time_of_truth, In1<std::int64_t> frame_of_truth,
             In1<std::int32_t> truth_of_pred, In1<std::int64_t> frame_of_pred) {
            const std::size_t n_truth = pred_of_truth.size(), n_pred = truth_of_pred.size();
            check_length("time_of_truth", time_of_truth.size(), n_truth);
            check_length("frame_of_truth", frame_of_truth.size(), n_truth);
            check_length("frame_of_pred", frame_of_pred.size(), n_pred);
            for (std::size_t i = 0; i < n_truth; ++i) {
              if (pred_of_truth.data()[i] < static_cast<std::int64_t>(n_pred)) continue;
              throw nb::value_error("expected tracks of pred that the memory has");
            }
            for (std::size_t j = 0; j < n_pred; ++j) {
              if (truth_of_pred.data()[j] < static_cast<std::int64_t>(n_truth)) continue;
              throw nb::value_error("expected tracks of truth that the memory has");
            }
            self.restore({n_frames, as_vector(pred_of_truth), as_vector(time_of_truth),
                          as_vector(frame_of_truth), as_vector(truth_of_pred),
                          as_vector(frame_of_pred)});
          },
          nb::arg("n_frames"), nb::arg("pred_of_truth").noconvert(),
          nb::arg("time_of_truth").noconvert(), nb::arg("frame_of_truth").noconvert(),
          nb::arg("truth_of_pred").noconvert(), nb::arg("frame_of_pred").noconvert(),
          "Go on from what memory() gave.");

  m.def(
      "best_matching", best_matching, nb::arg("begin").noconvert(), nb::arg("column").noconvert(),
      nb::arg("score").noconvert(), nb::kw_only(), nb::arg("n_columns"),
      "The column that each row is matched to, -1 for none, so that the sum of scores is largest; "
      "cells of row i are begin[i] ... begin[i + 1] - 1, each column once.");

  m.def(
      "box_distances",
      [](In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin, In2<double> truth_xywh,
         In2<double> pred_xywh, double max_distance) {
        check_begins("truth_begin", truth_begin);
        const std::size_t n_frames = truth_begin.size() - 1;
        check_groups("truth_begin", truth_begin, n_frames, truth_xywh.shape(0));
        check_groups("pred_begin", pred_begin, n_frames, pred_xywh.shape(0));
        if (truth_xywh.shape(1) != 4 || pred_xywh.shape(1) != 4) {
          throw nb::value_error("expected boxes of 4 numbers");
        }
        BoxDistances found;
        {
          const nb::gil_scoped_release released;
          found = box_distances(truth_begin.data(), pred_begin.data(), n_frames, truth_xywh.data(),
                                pred_xywh.data(), max_distance);
        }
        return std::make_tuple(to_numpy(std::move(found.pair_begin)),
                               to_numpy(std::move(found.pair_pred)),
                               to_numpy(std::move(found.distance)));
      },
      nb::arg("truth_begin").noconvert(), nb::arg("pred_begin").noconvert(),
      nb::arg("truth_xywh").noconvert(), nb::arg("pred_xywh").noconvert(), nb::kw_only(),
      nb::arg("max_distance"),
      "Pairs of boxes (finite numbers) of the same frame whose 1 - IoU is not above the maximum: "
      "where those of each truth row begin, pred rows, distances.");
}

}  // namespace snellen::bind
