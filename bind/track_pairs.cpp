#include "snellen/track_pairs.hpp"

#include <limits>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "pair_lists.hpp"
#include "snellen/clear.hpp"
#include "snellen/hota.hpp"
#include "snellen/identity.hpp"
#include "snellen/vace.hpp"

namespace snellen::bind {
namespace {

using Sums = nb::typed<nb::dict, nb::str, nb::any>;

template <class T>
Out<T> as_array(const std::vector<T>& values) {
  Column<T> column;
  column.resize_uninitialised(values.size());
  std::copy(values.begin(), values.end(), column.begin());
  return to_numpy(std::move(column));
}

void construct(TrackPairs* self, In1<std::int64_t> truth_begin, In1<std::int64_t> pred_begin,
               In1<std::int32_t> truth_track, In1<std::int32_t> pred_track,
               std::size_t n_truth_tracks, std::size_t n_pred_tracks, In1<std::int64_t> pair_begin,
               In1<std::int32_t> pair_pred, In1<double> similarity) {
  const nb::gil_scoped_release released;
  const PairLists pairs = pair_lists(truth_begin, pred_begin, pair_begin, pair_pred, similarity);
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  if (n_truth_tracks > kMost || n_pred_tracks > kMost) {
    throw nb::value_error("expected fewer than 2^31 tracks");
  }
  check_length("truth_track", truth_track.size(), pairs.n_truth());
  check_length("pred_track", pred_track.size(), pairs.n_pred());
  check_codes("truth_track", truth_track, n_truth_tracks);
  check_codes("pred_track", pred_track, n_pred_tracks);
  new (self)
      TrackPairs(pairs, truth_track.data(), pred_track.data(), n_truth_tracks, n_pred_tracks);
}

Sums hota(const TrackPairs& tracks, In1<double> alphas, bool blocked) {
  for (std::size_t a = 0; a < alphas.size(); ++a) check_threshold(alphas.data()[a]);
  HotaSums sums;
  {
    const nb::gil_scoped_release released;
    sums = hota_sums(tracks, alphas.data(), alphas.size(), blocked);
  }
  Sums found;
  found["tp"] = as_array(sums.n_matched);
  found["loc"] = as_array(sums.similarity);
  found["ass_a"] = as_array(sums.association);
  found["ass_re"] = as_array(sums.association_recall);
  found["ass_pr"] = as_array(sums.association_precision);
  return found;
}

Sums clear(const TrackPairs& tracks, double threshold) {
  check_threshold(threshold);
  ClearMatches matches;
  {
    const nb::gil_scoped_release released;
    matches = clear_matches(tracks, threshold);
  }
  Sums found;
  found["match"] = to_numpy(std::move(matches.match));
  found["switch"] = to_numpy(std::move(matches.is_switch));
  found["transfer"] = to_numpy(std::move(matches.is_transfer));
  found["motp_sum"] = matches.similarity;
  found["n_frames"] = to_numpy(std::move(matches.n_frames));
  found["n_matched"] = to_numpy(std::move(matches.n_matched));
  found["n_starts"] = to_numpy(std::move(matches.n_starts));
  found["n_switches"] = to_numpy(std::move(matches.n_switches));
  return found;
}

Sums identity(const TrackPairs& tracks, double threshold) {
  check_threshold(threshold);
  IdentityMatches matches;
  {
    const nb::gil_scoped_release released;
    matches = identity_matches(tracks, threshold);
  }
  Sums found;
  found["idtp"] = matches.n_matched;
  found["match"] = as_array(matches.match);
  return found;
}

Sums vace(const TrackPairs& tracks, double threshold) {
  check_threshold(threshold);
  VaceSums sums;
  {
    const nb::gil_scoped_release released;
    sums = vace_sums(tracks, threshold);
  }
  Sums found;
  found["stda"] = sums.tracks;
  found["fda"] = sums.frames;
  found["n_frames"] = sums.n_frames;
  return found;
}

}  // namespace

void bind_track_pairs(nb::module_& m) {
  nb::class_<TrackPairs>(m, "TrackPairs",
                         "Tracks of one sequence, frame by frame, and their pairs; what is "
                         "computed of them may run in several threads at once.")
      .def("__init__", construct, nb::arg("truth_begin").noconvert(),
           nb::arg("pred_begin").noconvert(), nb::arg("truth_track").noconvert(),
           nb::arg("pred_track").noconvert(), nb::arg("n_truth_tracks"), nb::arg("n_pred_tracks"),
           nb::arg("pair_begin").noconvert(), nb::arg("pair_pred").noconvert(),
           nb::arg("similarity").noconvert(),
           // It looks at the arrays: they stay as long as it does.
           nb::keep_alive<1, 2>(), nb::keep_alive<1, 3>(), nb::keep_alive<1, 4>(),
           nb::keep_alive<1, 5>(), nb::keep_alive<1, 8>(), nb::keep_alive<1, 9>(),
           nb::keep_alive<1, 10>())
      .def("hota", hota, nb::arg("alphas").noconvert(), nb::arg("blocked"),
           "For each alpha: matches (tp), their similarities (loc), and the sums over cells that "
           "AssA, AssRe and AssPr are quotients of. blocked: as NumPy before 2.3 added them up.")
      .def("clear", clear, nb::arg("threshold"),
           "Matches by truth row, switches, transfers by row of predictions, the sum of "
           "similarities, and counts by truth track.")
      .def("identity", identity, nb::arg("threshold"),
           "IDTP, and the track that each truth track is matched to, -1 for none.")
      .def("vace", vace, nb::arg("threshold"), "STDA, FDA, and the number of frames with objects.");
}

}  // namespace snellen::bind
