#include "snellen/png.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "kept_blocks.hpp"

namespace snellen::bind {
namespace {

const std::uint8_t* bytes_of(const nb::bytes& data) {
  return static_cast<const std::uint8_t*>(data.data());
}

nb::bytes gather(const std::uint8_t* data, const PngChunks& chunks) {
  PyObject* const whole =
      PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(chunks.n_compressed));
  if (whole == nullptr) throw nb::python_error();
  {
    const nb::gil_scoped_release released;
    char* at = PyBytes_AS_STRING(whole);
    for (const PngChunks::Piece& piece : chunks.compressed) {
      std::memcpy(at, data + piece.begin, piece.size);
      at += piece.size;
    }
  }
  return nb::steal<nb::bytes>(whole);
}

// Height × (bytes of a row), or height × width × 3 (times the bytes of a sample).
Out<std::uint8_t> to_rows(PngPixels&& pixels, const PngHeader& header) {
  const std::size_t height = header.height, width = header.width, bytes = pixels.sample_bytes;
  if (pixels.n_channels == 1)
    return to_kept_numpy(std::move(pixels.bytes), {height, width * bytes});
  return to_kept_numpy(std::move(pixels.bytes), {height, width, pixels.n_channels * bytes});
}

}  // namespace

void bind_png(nb::module_& m) {
  nb::class_<PngHeader>(m, "PngHeader", "What the IHDR chunk of a PNG file says.")
      .def_ro("width", &PngHeader::width)
      .def_ro("height", &PngHeader::height)
      .def_ro("bits", &PngHeader::bits)
      .def_prop_ro("colour",
                   [](const PngHeader& self) { return static_cast<unsigned>(self.colour); })
      .def_prop_ro("n_inflated", &PngHeader::n_inflated);

  m.def(
      "png_chunks",
      [](nb::bytes data) {
        PngChunks chunks;
        {
          const nb::gil_scoped_release released;
          chunks = read_png_chunks(bytes_of(data), data.size());
        }
        std::optional<std::tuple<std::string, std::size_t, bool>> fault;
        if (chunks.fault) {
          fault.emplace(std::move(chunks.fault.message), chunks.fault.byte, chunks.fault.odd);
        }
        return std::make_tuple(std::move(fault), chunks.header,
                               nb::bytes(chunks.palette.data(), chunks.palette.size()),
                               gather(bytes_of(data), chunks));
      },
      nb::arg("data"),
      "What is wrong with a PNG file, at which byte, and whether that is odd rather than damage, "
      "or "
      "None; its header; its palette (3 bytes a colour); the compressed rows.");
  m.def(
      "png_pixels",
      [](const PngHeader& header, nb::bytes inflated) {
        if (inflated.size() != header.n_inflated()) {
          throw nb::value_error(("expected " + std::to_string(header.n_inflated()) +
                                 " bytes of rows, got " + std::to_string(inflated.size()))
                                    .c_str());
        }
        PngPixels pixels;
        {
          const nb::gil_scoped_release released;
          pixels = read_png_pixels(header, bytes_of(inflated),
                                   KeptBlocks::of_this_thread().take(header.n_values()));
        }
        std::optional<std::string> fault;
        if (!pixels.fault.empty()) fault = std::move(pixels.fault);
        const std::uint64_t n_not_opaque = pixels.n_not_opaque;
        return std::make_tuple(std::move(fault), to_rows(std::move(pixels), header), n_not_opaque);
      },
      nb::arg("header"), nb::arg("inflated"),
      "What is wrong with inflated rows, or None; the bytes of the values, height x width (x 3), "
      "those of 16 bits two in the machine's order, without alpha; how many pixels are not "
      "opaque.");
}

}  // namespace snellen::bind
