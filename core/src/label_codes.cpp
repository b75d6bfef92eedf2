#include "snellen/label_codes.hpp"

#include <algorithm>

#include "uniform_block.hpp"

namespace snellen {

template <class Label, class Code>
void label_codes(const Label* labels, std::size_t n, const std::int64_t* ids, std::size_t n_ids,
                 std::optional<std::int64_t> ignored, Code* code, UnknownLabels& unknown) {
  if (n == 0) return;
  const Code no_class = static_cast<Code>(n_ids);
  Label label{};
  Code label_code = no_class;
  bool is_known = true;
  std::size_t begin = 0;  // of the run of this label

  const auto look_up = [&](Label next) {
    label = next;
    const auto wanted = static_cast<std::int64_t>(next);
    const std::int64_t* const at = std::lower_bound(ids, ids + n_ids, wanted);
    const bool is_class = at != ids + n_ids && *at == wanted;
    is_known = is_class || wanted == ignored;
    // What is both is ignored.
    label_code = is_class && wanted != ignored ? static_cast<Code>(at - ids) : no_class;
  };
  const auto end_run = [&](std::size_t end) {
    if (!is_known)
      unknown[static_cast<std::int64_t>(label)] += static_cast<std::int64_t>(end - begin);
    begin = end;
  };

  look_up(labels[0]);
  std::size_t i = 0;
  while (i < n) {
    if (i + kBlock <= n && is_uniform(labels + i, label)) {
      std::fill_n(code + i, kBlock, label_code);
      i += kBlock;
      continue;
    }
    for (const std::size_t end = std::min(n, i + kBlock); i < end; ++i) {
      if (labels[i] != label) {
        end_run(i);
        look_up(labels[i]);
      }
      code[i] = label_code;
    }
  }
  end_run(n);
}

#define SNELLEN_LABEL_CODES(Label, Code)                                                  \
  template void label_codes<Label, Code>(const Label*, std::size_t, const std::int64_t*,  \
                                         std::size_t, std::optional<std::int64_t>, Code*, \
                                         UnknownLabels&);
SNELLEN_LABEL_CODES(std::uint8_t, std::uint8_t)
SNELLEN_LABEL_CODES(std::uint8_t, std::uint16_t)
SNELLEN_LABEL_CODES(std::uint16_t, std::uint8_t)
SNELLEN_LABEL_CODES(std::uint16_t, std::uint16_t)
SNELLEN_LABEL_CODES(std::int32_t, std::uint8_t)
SNELLEN_LABEL_CODES(std::int32_t, std::uint16_t)
SNELLEN_LABEL_CODES(std::int64_t, std::uint8_t)
SNELLEN_LABEL_CODES(std::int64_t, std::uint16_t)
#undef SNELLEN_LABEL_CODES

}  // namespace snellen
