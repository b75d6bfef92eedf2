// The extension module snellen._core: the list of what it binds.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>

namespace snellen::bind {

namespace nb = nanobind;

void bind_parallel(nb::module_& m);
void bind_large_blocks(nb::module_& m);
void bind_assignment(nb::module_& m);
void bind_track_pairs(nb::module_& m);
void bind_json_columns(nb::module_& m);
void bind_coco_records(nb::module_& m);
void bind_coco_index(nb::module_& m);
void bind_lookup(nb::module_& m);
void bind_grouping(nb::module_& m);
void bind_iou(nb::module_& m);
void bind_candidates(nb::module_& m);
void bind_matching(nb::module_& m);
void bind_dense_matching(nb::module_& m);
void bind_oks(nb::module_& m);
void bind_oriented_boxes(nb::module_& m);
void bind_counted_rows(nb::module_& m);
void bind_curve(nb::module_& m);
void bind_rank_statistics(nb::module_& m);
void bind_ranking(nb::module_& m);
void bind_row_scores(nb::module_& m);
void bind_exact_sum(nb::module_& m);
void bind_label_counts(nb::module_& m);
void bind_image_resize(nb::module_& m);
void bind_inversions(nb::module_& m);
void bind_csv_table(nb::module_& m);
void bind_resample(nb::module_& m);
void bind_hash_rank(nb::module_& m);
void bind_halving(nb::module_& m);
void bind_hamming(nb::module_& m);
void bind_value_pairs(nb::module_& m);
void bind_png(nb::module_& m);
void bind_pose_boxes(nb::module_& m);
void bind_label_codes(nb::module_& m);
void bind_boundary(nb::module_& m);
void bind_distance(nb::module_& m);
void bind_track_map(nb::module_& m);
void bind_frame_pairs(nb::module_& m);
void bind_rle(nb::module_& m);
void bind_polygon(nb::module_& m);
void bind_loose_rle(nb::module_& m);
void bind_rle_boundary(nb::module_& m);
void bind_mots_text(nb::module_& m);
void bind_track_text(nb::module_& m);
void bind_mot_events(nb::module_& m);

namespace {

// What `snellen --version` prints of this build.
std::string build_description() {
  std::string text = "C++20";
#if defined(__clang__)
  text += std::string(", clang ") + __clang_version__;
#elif defined(__GNUC__)
  text += std::string(", gcc ") + __VERSION__;
#elif defined(_MSC_VER)
  text += ", msvc " + std::to_string(_MSC_VER);
#endif
#if defined(__x86_64__) || defined(_M_X64)
  text += ", x86-64";
#elif defined(__aarch64__) || defined(_M_ARM64)
  text += ", arm64";
#endif
#if defined(NDEBUG)
  text += ", release";
#else
  text += ", with assertions";
#endif
  return text;
}

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "Kernels of Snellen: columns in, columns out.";
  m.attr("build_description") = build_description();
  bind_parallel(m);
  bind_large_blocks(m);
  bind_assignment(m);
  bind_track_pairs(m);
  bind_json_columns(m);
  bind_coco_records(m);
  bind_coco_index(m);
  bind_lookup(m);
  bind_grouping(m);
  bind_iou(m);
  bind_candidates(m);
  bind_matching(m);
  bind_dense_matching(m);
  bind_oks(m);
  bind_oriented_boxes(m);
  bind_counted_rows(m);
  bind_curve(m);
  bind_rank_statistics(m);
  bind_ranking(m);
  bind_row_scores(m);
  bind_exact_sum(m);
  bind_label_counts(m);
  bind_image_resize(m);
  bind_inversions(m);
  bind_csv_table(m);
  bind_resample(m);
  bind_hash_rank(m);
  bind_halving(m);
  bind_hamming(m);
  bind_value_pairs(m);
  bind_png(m);
  bind_pose_boxes(m);
  bind_label_codes(m);
  bind_boundary(m);
  bind_distance(m);
  bind_track_map(m);
  bind_frame_pairs(m);
  bind_rle(m);
  bind_polygon(m);
  bind_loose_rle(m);
  bind_rle_boundary(m);
  bind_mots_text(m);
  bind_track_text(m);
  bind_mot_events(m);
}

}  // namespace snellen::bind
