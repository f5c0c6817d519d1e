#pragma once

#include <span>
#include <string_view>

namespace fanfare::api {

/// A file that the program carries inside itself. Both views point into the program: they live as
/// long as it runs.
struct EmbeddedFile {
  /// Relative, with forward slashes: `bayeux/static/faye-browser-1.4.3-min.js`, `demo/index.html`.
  std::string_view path;
  std::string_view bytes;
};

/// Every file for browsers: Faye's client with its licence, under `bayeux/static/`, and the demo
/// page, under `demo/`. cmake/Assets.cmake says where they come from.
std::span<const EmbeddedFile> embedded_files();

}  // namespace fanfare::api
