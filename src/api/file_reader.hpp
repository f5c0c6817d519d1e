#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace fanfare::api {

/// What tells that a file is still the one that was read.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// What a look at a path has found.
struct FileLook {
  enum State {
    absent,     // or no regular file, or one that we may not read
    too_large,  // when it was opened, or while it was read
    unchanged,  // it is the one that is known; `bytes` is empty
    read,
  };
  State state = absent;
  /// As it was before it was read: a write that comes meanwhile makes the next look see another.
  FileIdentity identity;
  std::string bytes;
};

/// Reads a file, unless it is the one that is `known`. It is opened once, and everything is asked
/// of the open descriptor, so that nothing can be put in its place in between. A FIFO is not waited
/// for. Symbolic links are followed: the folder is the operator's, and container systems mount
/// files as links.
///
/// Threads: any that may block.
FileLook look_at_file(const std::string& path, std::size_t bytes_max,
                      const std::optional<FileIdentity>& known);

}  // namespace fanfare::api
