#include "snellen/hash_rank.hpp"

#include <string_view>
#include <vector>

#include "arrays.hpp"

namespace snellen::bind {

void bind_hash_rank(nb::module_& m) {
  m.def(
      "hash_ranks",
      [](const nb::typed<nb::list, nb::str>& keys, std::uint64_t seed) {
        std::vector<std::string_view> texts;
        texts.reserve(keys.size());
        for (const nb::handle key : keys) {
          Py_ssize_t size = 0;
          const char* const text = PyUnicode_AsUTF8AndSize(key.ptr(), &size);
          if (text == nullptr) throw nb::python_error();
          texts.emplace_back(text, static_cast<std::size_t>(size));
        }
        Column<std::uint64_t> rank;
        rank.resize_uninitialised(texts.size());
        {
          // The list holds the texts, and the caller holds the list.
          const nb::gil_scoped_release released;
          hash_ranks(texts.data(), texts.size(), seed, rank.data());
        }
        return to_numpy(std::move(rank));
      },
      nb::arg("keys"), nb::arg("seed"),
      "The 8-byte BLAKE2b digest (uint64, read big-endian) of the seed's 8 bytes, little-endian, "
      "and each text in UTF-8.");
}

}  // namespace snellen::bind
