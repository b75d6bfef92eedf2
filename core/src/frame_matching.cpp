#include "snellen/frame_matching.hpp"

#include <algorithm>

#include "snellen/parallel.hpp"

namespace snellen {
namespace {

constexpr std::size_t kJobFrames = 64;

}  // namespace

void match_frames(const PairLists& pairs, double threshold, std::int32_t* truth_of_pred) {
  const double least = threshold - kSlack;
  std::fill(truth_of_pred, truth_of_pred + pairs.n_pred(), -1);
  const std::size_t n_jobs = (pairs.n_frames + kJobFrames - 1) / kJobFrames;
  parallel_for_workers(n_jobs, [&] {
    return [&, table = FrameTable(), assignment = ScoreAssignment(),
            column_of_row = std::vector<std::int32_t>()](std::size_t job) mutable {
      const std::size_t last = std::min(pairs.n_frames, (job + 1) * kJobFrames);
      for (std::size_t t = job * kJobFrames; t < last; ++t) {
        const std::int64_t truth_begin = pairs.truth_begin[t], pred_begin = pairs.pred_begin[t];
        const std::int64_t truth_end = pairs.truth_begin[t + 1];
        const std::int64_t n_pred = pairs.pred_begin[t + 1] - pred_begin;
        if (truth_begin == truth_end || n_pred == 0) continue;
        table.clear();
        for (std::int64_t i = truth_begin; i < truth_end; ++i) {
          for (std::int64_t k = pairs.pair_begin[i]; k < pairs.pair_begin[i + 1]; ++k) {
            if (pairs.similarity[k] < least) continue;
            table.add(pairs.pair_pred[k] - pred_begin, pairs.similarity[k]);
          }
          table.end_row();
        }
        column_of_row.resize(static_cast<std::size_t>(truth_end - truth_begin));
        assignment.assign(table.view(static_cast<std::size_t>(n_pred)), kRounding,
                          column_of_row.data());
        for (std::size_t i = 0; i < column_of_row.size(); ++i) {
          if (column_of_row[i] < 0) continue;
          truth_of_pred[pred_begin + column_of_row[i]] =
              static_cast<std::int32_t>(truth_begin + static_cast<std::int64_t>(i));
        }
      }
    };
  });
}

}  // namespace snellen
