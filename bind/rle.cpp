#include "snellen/rle.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "rle_arrays.hpp"

namespace snellen::bind {
namespace {

template <class T>
using In3 = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

using Fault = std::optional<std::tuple<std::string, std::size_t, std::size_t>>;

// None, or (message, row, position).
Fault describe(const RleFault& fault) {
  if (!fault) return std::nullopt;
  return std::make_tuple(fault.message, fault.row, fault.position);
}

Out<std::uint8_t> take_bytes(Column<char>&& bytes) {
  const std::size_t size = bytes.size();
  char* const data = bytes.release();
  nb::capsule owner(data, [](void* block) noexcept { std::free(block); });
  return Out<std::uint8_t>(reinterpret_cast<std::uint8_t*>(data), {size}, owner);
}

// Rows first … last − 1 must be of one size.
void check_one_size(const RleView& masks, std::size_t first, std::size_t last,
                    const std::int32_t* size) {
  for (std::size_t i = first; i < last; ++i) {
    if (masks.size[2 * i] == size[0] && masks.size[2 * i + 1] == size[1]) continue;
    const std::string text = "expected masks of one size, got another in row " + std::to_string(i);
    throw nb::value_error(text.c_str());
  }
}

MaskOverlap overlap_of(const std::string& kind) {
  if (kind == "iou") return MaskOverlap::kIou;
  if (kind == "ioa_truth") return MaskOverlap::kOverTruth;
  if (kind == "ioa_pred") return MaskOverlap::kOverPred;
  throw nb::value_error("expected \"iou\", \"ioa_truth\" or \"ioa_pred\"");
}

void check_pixels(std::size_t height, std::size_t width) {
  if (width == 0 || height <= std::numeric_limits<std::uint32_t>::max() / width) return;
  throw nb::value_error("expected images of less than 2^32 pixels");
}

void bind_texts(nb::module_& m) {
  m.def(
      "decode_rle",
      [](In1<std::uint8_t> bytes, Offsets offset, Sizes size) {
        check_offsets("offsets", offset, bytes.size());
        check_sizes(size, offset.size() - 1);
        const TextRows texts{reinterpret_cast<const char*>(bytes.data()), offset.data(),
                             offset.size() - 1};
        RleRows rows;
        RleFault fault;
        {
          const nb::gil_scoped_release released;
          fault = decode_rle(texts, size.data(), rows);
        }
        return std::tuple_cat(to_numpy(std::move(rows)), std::make_tuple(describe(fault)));
      },
      nb::arg("bytes").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      "Runs and offsets of COCO's run-length texts, and what is wrong: None, or message, row and "
      "position. Text i is bytes[offset[i]:offset[i + 1]], of a mask of size[i] (height, width).");
  m.def(
      "encode_rle",
      [](Runs runs, Offsets offset, Sizes size) {
        const RleView masks = masks_of(runs, offset, size);
        TextPool texts;
        {
          const nb::gil_scoped_release released;
          texts = encode_rle(masks);
        }
        return std::make_tuple(take_bytes(std::move(texts.bytes)),
                               to_numpy(std::move(texts.offset)));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      "The bytes and offsets of the texts of masks.");
  m.def(
      "check_rle",
      [](Runs runs, Offsets offset, Sizes size) {
        return describe(check_rle(unchecked_masks_of(runs, offset, size)));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      "None, or message, row and position of the first mask whose runs do not sum up to its "
      "pixels.");
}

void bind_rows(nb::module_& m) {
  m.def(
      "rle_areas",
      [](Runs runs, Offsets offset) {
        check_offsets("offsets", offset, runs.size());
        Column<std::int64_t> area;
        area.resize_uninitialised(offset.size() - 1);
        rle_areas({runs.data(), offset.data(), nullptr, area.size()}, area.data());
        return to_numpy(std::move(area));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(),
      "The number of pixels in each mask.");
  m.def(
      "rle_boxes",
      [](Runs runs, Offsets offset, Sizes size) {
        const RleView masks = masks_of(runs, offset, size);
        Column<std::int32_t> box;
        box.resize_uninitialised(4 * masks.n);
        rle_boxes(masks, box.data());
        return to_numpy(std::move(box), {masks.n, 4});
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      "Left, top, width and height of the smallest box around each mask; zeros for no pixels.");
  m.def(
      "rle_extents",
      [](Runs runs, Offsets offset, Sizes size) {
        const RleView masks = unchecked_masks_of(runs, offset, size);
        RleExtents found = extents_of(masks);
        return std::make_tuple(to_numpy(std::move(found.area)),
                               to_numpy(std::move(found.box), {masks.n, 4}));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      "What rle_areas and rle_boxes return, in one go.");
  m.def(
      "take_rle",
      [](Runs runs, Offsets offset, In1<std::int64_t> rows) {
        check_offsets("offsets", offset, runs.size());
        check_codes("rows", rows, offset.size() - 1);
        return to_numpy(take_rle({runs.data(), offset.data(), nullptr, offset.size() - 1},
                                 rows.data(), rows.size()));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("rows").noconvert(),
      "Runs and offsets of some rows.");
  m.def(
      "replace_rle",
      [](Runs runs, Offsets offset, Runs other_runs, Offsets other_offset,
         In1<std::uint8_t> marked) {
        check_offsets("offsets", offset, runs.size());
        check_offsets("offsets", other_offset, other_runs.size());
        const std::size_t n = offset.size() - 1, n_others = other_offset.size() - 1;
        check_length("marked", marked.size(), n);
        std::size_t n_marked = 0;
        for (std::size_t i = 0; i < n; ++i) n_marked += marked.data()[i] != 0;
        check_length("the other masks", n_others, n_marked);
        return to_numpy(replace_rle({runs.data(), offset.data(), nullptr, n},
                                    {other_runs.data(), other_offset.data(), nullptr, n_others},
                                    marked.data()));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("other_runs").noconvert(),
      nb::arg("other_offset").noconvert(), nb::arg("marked").noconvert(),
      "Runs and offsets of each row, but in the place of those that are marked the next of the "
      "other rows.");
  m.def(
      "merge_rle",
      [](Runs runs, Offsets offset, Sizes size, Offsets begin, bool intersect) {
        const RleView masks = masks_of(runs, offset, size);
        check_offsets("begins of groups", begin, masks.n);
        const std::size_t n_groups = begin.size() - 1;
        for (std::size_t i = 0; i < n_groups; ++i) {
          const auto first = static_cast<std::size_t>(begin.data()[i]);
          check_one_size(masks, first, static_cast<std::size_t>(begin.data()[i + 1]),
                         masks.size + 2 * first);
        }
        RleRows merged;
        {
          const nb::gil_scoped_release released;
          merged = merge_rle(masks, begin.data(), n_groups,
                             intersect ? RleMerge::kIntersection : RleMerge::kUnion);
        }
        return to_numpy(std::move(merged));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      nb::arg("begin").noconvert(), nb::arg("intersect"),
      "Runs and offsets of one mask for each group of rows begin[g] … begin[g + 1] - 1; of none "
      "for a group without rows.");
  m.def(
      "subtract_rle",
      [](Runs runs, Offsets offset, Sizes size, Runs other_runs, Offsets other_offset,
         Sizes other_size) {
        const RleView masks = masks_of(runs, offset, size);
        const RleView others = masks_of(other_runs, other_offset, other_size);
        check_length("the other masks", others.n, masks.n);
        for (std::size_t i = 0; i < masks.n; ++i)
          check_one_size(others, i, i + 1, size.data() + 2 * i);
        RleRows left;
        {
          const nb::gil_scoped_release released;
          left = subtract_rle(masks, others);
        }
        return to_numpy(std::move(left));
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      nb::arg("other_runs").noconvert(), nb::arg("other_offset").noconvert(),
      nb::arg("other_size").noconvert(),
      "Runs and offsets of the pixels of each mask that the other of its row has not.");
}

template <class Label>
void bind_labels(nb::module_& m) {
  m.def(
      "encode_labels",
      [](In3<Label> labels) {
        check_pixels(labels.shape(1), labels.shape(2));
        RleOfLabels found;
        {
          const nb::gil_scoped_release released;
          found = encode_labels(labels.data(), labels.shape(0), labels.shape(1), labels.shape(2));
        }
        return std::tuple_cat(
            std::make_tuple(to_numpy(std::move(found.begin)), to_numpy(std::move(found.value))),
            to_numpy(std::move(found.rows)));
      },
      nb::arg("labels").noconvert(),
      "Masks of all values but 0: where the rows of each image begin, the value, runs and "
      "offsets.");
}

template <class Label>
void bind_paint(nb::module_& m) {
  m.def(
      "paint_rle",
      [](Runs runs, Offsets offset, Sizes size, Offsets begin, In1<Label> value, std::size_t height,
         std::size_t width) {
        const RleView masks = masks_of(runs, offset, size);
        check_offsets("begins of images", begin, masks.n);
        check_length("value", value.size(), masks.n);
        check_pixels(height, width);
        if (height > std::numeric_limits<std::int32_t>::max() ||
            width > std::numeric_limits<std::int32_t>::max()) {
          throw nb::value_error("expected a height and a width below 2^31");
        }
        const std::int32_t wanted[] = {static_cast<std::int32_t>(height),
                                       static_cast<std::int32_t>(width)};
        check_one_size(masks, 0, masks.n, wanted);
        const std::size_t n_images = begin.size() - 1;
        Column<Label> labels;
        {
          const nb::gil_scoped_release released;
          labels.resize_uninitialised(n_images * height * width);
          paint_rle(masks, begin.data(), n_images, value.data(), height, width, labels.data());
        }
        return to_numpy(std::move(labels), {n_images, height, width});
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      nb::arg("begin").noconvert(), nb::arg("value").noconvert(), nb::arg("height"),
      nb::arg("width"),
      "Label images with the value of each mask where it lies, of a later row where several do, "
      "else 0; image i has the rows begin[i] … begin[i + 1] - 1.");
}

void bind_pairs(nb::module_& m) {
  m.def(
      "mask_pairs",
      [](Offsets truth_begin, Offsets pred_begin, Runs truth_runs, Offsets truth_offset,
         Sizes truth_size, Runs pred_runs, Offsets pred_offset, Sizes pred_size,
         const std::string& kind) {
        const RleView truth = masks_of(truth_runs, truth_offset, truth_size);
        const RleView pred = masks_of(pred_runs, pred_offset, pred_size);
        check_offsets("begins of frames", truth_begin, truth.n);
        check_offsets("begins of frames", pred_begin, pred.n);
        check_length("pred_begin", pred_begin.size(), truth_begin.size());
        if (pred.n > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
          throw nb::value_error("expected less than 2^31 masks");
        }
        const std::size_t n_frames = truth_begin.size() - 1;
        for (std::size_t t = 0; t < n_frames; ++t) {
          const auto first = static_cast<std::size_t>(truth_begin.data()[t]);
          const auto last = static_cast<std::size_t>(truth_begin.data()[t + 1]);
          if (first == last) continue;
          const std::int32_t* const wanted = truth.size + 2 * first;
          check_one_size(truth, first, last, wanted);
          check_one_size(pred, static_cast<std::size_t>(pred_begin.data()[t]),
                         static_cast<std::size_t>(pred_begin.data()[t + 1]), wanted);
        }
        const MaskOverlap overlap = overlap_of(kind);
        MaskPairs pairs;
        {
          const nb::gil_scoped_release released;
          pairs = mask_pairs(truth_begin.data(), pred_begin.data(), n_frames, truth, pred, overlap);
        }
        return std::make_tuple(to_numpy(std::move(pairs.begin)), to_numpy(std::move(pairs.pred)),
                               to_numpy(std::move(pairs.similarity)));
      },
      nb::arg("truth_begin").noconvert(), nb::arg("pred_begin").noconvert(),
      nb::arg("truth_runs").noconvert(), nb::arg("truth_offset").noconvert(),
      nb::arg("truth_size").noconvert(), nb::arg("pred_runs").noconvert(),
      nb::arg("pred_offset").noconvert(), nb::arg("pred_size").noconvert(), nb::arg("kind"),
      "The pairs of masks that share pixels, frame by frame: where those of each truth row begin, "
      "pred row, and shared pixels over those of the union (\"iou\"), of truth (\"ioa_truth\") or "
      "of pred (\"ioa_pred\").");
  m.def(
      "mask_iou",
      [](Runs pred_runs, Offsets pred_offset, Sizes pred_size, Runs truth_runs,
         Offsets truth_offset, Sizes truth_size, In1<std::uint8_t> crowd) {
        const RleView pred = masks_of(pred_runs, pred_offset, pred_size);
        const RleView truth = masks_of(truth_runs, truth_offset, truth_size);
        check_length("crowd", crowd.size(), truth.n);
        const RleView& first = truth.n > 0 ? truth : pred;
        check_one_size(truth, 0, truth.n, first.size);
        check_one_size(pred, 0, pred.n, first.size);
        Column<double> iou;
        {
          const nb::gil_scoped_release released;
          iou.resize_uninitialised(pred.n * truth.n);
          mask_iou_matrix(pred, truth, crowd.data(), iou.data());
        }
        return to_numpy(std::move(iou), {truth.n, pred.n});
      },
      nb::arg("pred_runs").noconvert(), nb::arg("pred_offset").noconvert(),
      nb::arg("pred_size").noconvert(), nb::arg("truth_runs").noconvert(),
      nb::arg("truth_offset").noconvert(), nb::arg("truth_size").noconvert(),
      nb::arg("crowd").noconvert(),
      "IoU of every mask of truth with every mask of pred, (n_truth, n_pred); with a crowd, over "
      "the "
      "pixels of pred.");
  m.def(
      "find_overlaps",
      [](Runs runs, Offsets offset, Sizes size, Offsets begin,
         std::optional<In1<std::uint8_t>> marked) {
        const RleView masks = masks_of(runs, offset, size);
        check_offsets("begins of frames", begin, masks.n);
        if (marked) check_length("marked", marked->size(), masks.n);
        const std::size_t n_frames = begin.size() - 1;
        for (std::size_t t = 0; t < n_frames; ++t) {
          const auto first = static_cast<std::size_t>(begin.data()[t]);
          check_one_size(masks, first, static_cast<std::size_t>(begin.data()[t + 1]),
                         masks.size + 2 * first);
        }
        Column<MaskOverlapPair> found;
        {
          const nb::gil_scoped_release released;
          found = find_overlaps(masks, begin.data(), n_frames, marked ? marked->data() : nullptr);
        }
        Column<std::int64_t> rows;
        for (const MaskOverlapPair& pair : found) {
          for (const std::int64_t value : {pair.frame, pair.first, pair.second}) {
            rows.push_back(value);
          }
        }
        return to_numpy(std::move(rows), {found.size(), 3});
      },
      nb::arg("runs").noconvert(), nb::arg("offset").noconvert(), nb::arg("size").noconvert(),
      nb::arg("begin").noconvert(), nb::arg("marked").noconvert().none(),
      "Frame and two rows for each frame in which masks share pixels; marked ones may with each "
      "other.");
}

}  // namespace

void bind_rle(nb::module_& m) {
  bind_texts(m);
  bind_rows(m);
  m.def(
      "encode_masks",
      [](In3<std::uint8_t> pixels) {
        check_pixels(pixels.shape(1), pixels.shape(2));
        RleRows rows;
        {
          const nb::gil_scoped_release released;
          rows = encode_masks(pixels.data(), pixels.shape(0), pixels.shape(1), pixels.shape(2));
        }
        return to_numpy(std::move(rows));
      },
      nb::arg("pixels").noconvert(),
      "Runs and offsets of masks (n, height, width), of which every value but 0 is inside.");
  bind_labels<std::uint8_t>(m);
  bind_labels<std::uint16_t>(m);
  bind_labels<std::int32_t>(m);
  bind_labels<std::int64_t>(m);
  bind_paint<std::uint8_t>(m);
  bind_paint<std::uint16_t>(m);
  bind_pairs(m);
}

}  // namespace snellen::bind
