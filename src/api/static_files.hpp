#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"

namespace fanfare::api {

/// The files under /bayeux/static/: the browser library that the program carries, and whatever the
/// operator puts into a directory of his own, which goes first. Bytes are served as they are,
/// because pages pin their hash (Subresource Integrity).
///
/// Threads: one worker's. Cost: one stat() a request for the operator's files; they are read again
/// only when they have changed.
class StaticFiles {
 public:
  /// `directory` may be empty.
  explicit StaticFiles(std::string directory);

  /// `name` is what follows "/bayeux/static/".
  wire::http1::Response handle(const wire::http1::Request& request, std::string_view name);

  /// A file's name and what a page writes into `integrity="…"`.
  struct Library {
    std::string name;
    std::string integrity;
  };
  /// The built-in browser library.
  static const Library& browser_library();

 private:
  struct File {
    std::string bytes;
    std::string integrity;
    std::int64_t modified_ns = 0;
  };
  const File* find(std::string_view name);
  const File* read_operators(std::string_view name);
  std::string list();

  std::string directory_;
  boost::unordered_flat_map<std::string, File> built_in_;
  boost::unordered_flat_map<std::string, File> operators_;
};

}  // namespace fanfare::api
