#include "snellen/frame_pairs.hpp"

#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "arrays.hpp"

namespace snellen::bind {
namespace {

void refuse(const std::string& text) { throw nb::value_error(text.c_str()); }

// Ascending places that begin at 0 and end at the number of rows.
void check_begin(const char* name, const In1<std::int64_t>& begin, std::size_t n_rows) {
  if (begin.size() == 0 || begin.data()[0] != 0 ||
      begin.data()[begin.size() - 1] != static_cast<std::int64_t>(n_rows)) {
    refuse(std::string("expected ") + name + " from 0 to " + std::to_string(n_rows));
  }
  check_ascending(name, begin);
}

FrameRows frame_rows(const In1<std::int64_t>& truth_begin, const In1<std::int64_t>& pred_begin,
                     std::size_t n_truth, std::size_t n_pred) {
  check_begin("truth_begin", truth_begin, n_truth);
  check_begin("pred_begin", pred_begin, n_pred);
  check_length("pred_begin", pred_begin.size(), truth_begin.size());
  if (n_pred > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    refuse("expected less than 2^31 rows of pred, got " + std::to_string(n_pred));
  }
  return {truth_begin.data(), pred_begin.data(), truth_begin.size() - 1};
}

void check_columns(const char* name, const In2<double>& rows, std::size_t want) {
  if (rows.shape(1) == want) return;
  refuse(std::string("expected rows of ") + std::to_string(want) + " numbers in " + name +
         ", got " + std::to_string(rows.shape(1)));
}

BoxSimilarity box_similarity(std::string_view kind) {
  if (kind == "iou") return BoxSimilarity::kIou;
  if (kind == "ioa_truth") return BoxSimilarity::kIoaTruth;
  if (kind == "ioa_pred") return BoxSimilarity::kIoaPred;
  if (kind != "giou") {
    refuse("expected iou, ioa_truth, ioa_pred or giou, got " + std::string(kind));
  }
  return BoxSimilarity::kGiou;
}

using PairArrays = std::tuple<Out<std::int64_t>, Out<std::int32_t>, Out<double>>;

template <class Find>
PairArrays found_pairs(const Find& find) {
  FramePairs found;
  {
    const nb::gil_scoped_release released;
    found = find();
  }
  return {to_numpy(std::move(found.begin)), to_numpy(std::move(found.pred)),
          to_numpy(std::move(found.similarity))};
}

// Every pair of a truth row lies in the row's frame, and pred ascends.
void check_pairs(const FrameRows& frames, const std::int64_t* pair_begin,
                 const std::int32_t* pair_pred) {
  for (std::size_t t = 0; t < frames.n_frames; ++t) {
    for (std::int64_t i = frames.truth_begin[t]; i < frames.truth_begin[t + 1]; ++i) {
      std::int64_t least = frames.pred_begin[t];
      for (std::int64_t p = pair_begin[i]; p < pair_begin[i + 1]; ++p) {
        const std::int64_t pred = pair_pred[p];
        if (pred < least || pred >= frames.pred_begin[t + 1]) {
          refuse("expected pair_pred ascending and in the frame of truth row " + std::to_string(i) +
                 ", got " + std::to_string(pred));
        }
        least = pred + 1;
      }
    }
  }
}

}  // namespace

void bind_frame_pairs(nb::module_& m) {
  m.def(
      "box_pairs",
      [](In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin, In2<double> truth_xyxy,
         In2<double> pred_xyxy, const char* kind) {
        check_columns("truth_xyxy", truth_xyxy, 4);
        check_columns("pred_xyxy", pred_xyxy, 4);
        const FrameRows frames =
            frame_rows(truth_begin, pred_begin, truth_xyxy.shape(0), pred_xyxy.shape(0));
        const BoxSimilarity similarity = box_similarity(kind);
        return found_pairs(
            [&] { return box_pairs(frames, truth_xyxy.data(), pred_xyxy.data(), similarity); });
      },
      nb::arg("truth_begin").noconvert(), nb::arg("pred_begin").noconvert(),
      nb::arg("truth_xyxy").noconvert(), nb::arg("pred_xyxy").noconvert(), nb::arg("kind"),
      "Where the pairs of each truth row start; pred row and similarity of each pair above 0. "
      "kind: iou, ioa_truth, ioa_pred (intersection over one area), giou ((1 + GIoU) / 2).");
  m.def(
      "point_pairs",
      [](In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin, In2<double> truth,
         In2<double> pred, double zero_distance) {
        check_columns("pred", pred, truth.shape(1));
        if (!(zero_distance > 0)) refuse("expected a zero_distance above 0");
        const FrameRows frames = frame_rows(truth_begin, pred_begin, truth.shape(0), pred.shape(0));
        return found_pairs([&] {
          return point_pairs(frames, truth.data(), pred.data(), truth.shape(1), zero_distance);
        });
      },
      nb::arg("truth_begin").noconvert(), nb::arg("pred_begin").noconvert(),
      nb::arg("truth").noconvert(), nb::arg("pred").noconvert(), nb::arg("zero_distance"),
      "The same of points: 1 - distance / zero_distance where that is above 0.");
  m.def(
      "box3d_pairs",
      [](In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin, In2<double> truth,
         In2<double> pred) {
        check_columns("truth", truth, 7);
        check_columns("pred", pred, 7);
        const FrameRows frames = frame_rows(truth_begin, pred_begin, truth.shape(0), pred.shape(0));
        return found_pairs([&] { return box3d_pairs(frames, truth.data(), pred.data()); });
      },
      nb::arg("truth_begin").noconvert(), nb::arg("pred_begin").noconvert(),
      nb::arg("truth").noconvert(), nb::arg("pred").noconvert(),
      "The same of boxes in space: IoU of volumes of boxes x, y, z (centre), length, width, "
      "height, turned by the last number (radians) about z.");
  m.def(
      "kept_pairs",
      [](In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin, In1<std::int64_t> pair_begin,
         In1<std::int32_t> pair_pred, In1<double> similarity, In1<std::uint8_t> keep_truth,
         In1<std::uint8_t> keep_pred) {
        const FrameRows frames =
            frame_rows(truth_begin, pred_begin, keep_truth.size(), keep_pred.size());
        check_length("pair_begin", pair_begin.size(), keep_truth.size() + 1);
        check_begin("pair_begin", pair_begin, pair_pred.size());
        check_length("similarity", similarity.size(), pair_pred.size());
        check_pairs(frames, pair_begin.data(), pair_pred.data());
        KeptPairs kept;
        {
          const nb::gil_scoped_release released;
          kept = kept_pairs(frames, pair_begin.data(), pair_pred.data(), similarity.data(),
                            keep_truth.data(), keep_pred.data());
        }
        return std::make_tuple(
            to_numpy(std::move(kept.truth_begin)), to_numpy(std::move(kept.pred_begin)),
            to_numpy(std::move(kept.pairs.begin)), to_numpy(std::move(kept.pairs.pred)),
            to_numpy(std::move(kept.pairs.similarity)));
      },
      nb::arg("truth_begin").noconvert(), nb::arg("pred_begin").noconvert(),
      nb::arg("pair_begin").noconvert(), nb::arg("pair_pred").noconvert(),
      nb::arg("similarity").noconvert(), nb::arg("keep_truth").noconvert(),
      nb::arg("keep_pred").noconvert(),
      "The rows whose flag is not 0, renumbered, and the pairs between them: truth_begin, "
      "pred_begin, pair_begin, pair_pred, similarity.");
}

}  // namespace snellen::bind
