#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "api/file_reader.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/units.hpp"
#include "core/hub.hpp"

namespace fanfare::api {

using namespace base::literals;

/// `sha384-…`, as a page writes it into `integrity="…"`.
std::string integrity_of(std::string_view bytes);

/// A file in memory. Immutable, and shared by all who send it.
struct File {
  explicit File(std::string its_bytes)
      : bytes(std::move(its_bytes)), integrity(integrity_of(bytes)) {}
  std::string bytes;
  std::string integrity;
};
using FilePtr = std::shared_ptr<const File>;

/// The files of one folder, in memory, so that an event loop need not touch the disk. Event loops
/// ask known(), which answers from memory; when it says that somebody should look(), that is work
/// for a thread that may block.
///
/// Threads: known() from any; look() and list() from one at a time, which may block.
/// Cost: known() is one look-up under a lock that is never held across I/O. Memory: kBytesMax, and
/// some 300 bytes for each of kNamesMax names; beyond, what was not asked for longest is forgotten.
class FolderCache {
 public:
  /// Browser libraries are some 40 KB, source maps some 200.
  static constexpr std::size_t kFileBytesMax = 8_MiB;
  static constexpr std::size_t kBytesMax = 64_MiB;
  /// Also names that are not there, which anybody may ask for.
  static constexpr std::size_t kNamesMax = 4'096;
  /// How long a file is served from memory before it is looked at again.
  static constexpr base::Duration kLookInterval{1'000};
  static constexpr base::Duration kWarningInterval{60'000};

  /// `directory` may be empty: then there are no files, and nothing needs to be looked at.
  FolderCache(std::string directory, const base::Clock& clock, std::size_t bytes_max = kBytesMax,
              std::size_t names_max = kNamesMax);

  struct Known {
    /// Whether memory knows at all; if not, look() has to come first.
    bool is_known = false;
    /// Null if there is no such file.
    FilePtr file;
    /// Whether somebody should look() whether it is still the same. Said to one, not to all.
    bool is_due = false;
  };
  Known known(const std::string& name);

  /// Brings what memory knows of a file up to date, and reads it when it has changed.
  void look(const std::string& name);

  /// What pages may pin, by name: all files of the folder that `is_wanted`, at most kNamesMax.
  struct Listed {
    std::string name;
    std::string integrity;
    std::size_t bytes = 0;
  };
  std::vector<Listed> list(bool (*is_wanted)(std::string_view name));

  /// Bytes of files in memory.
  [[nodiscard]] std::size_t bytes();

 private:
  struct Entry {
    std::string name;
    base::TimePoint due_at{};
    std::optional<FileIdentity> identity{};  // without one there is no such file
    std::string integrity{};
    std::size_t bytes = 0;
    FilePtr file{};  // null when its bytes are forgotten
  };
  using Entries = std::list<Entry>;  // who was asked for last is at the front

  [[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& name, bool has_bytes);
  void refresh(const std::string& name, bool wants_bytes);
  void keep(const std::string& name, FileLook look, bool wants_bytes);
  Entry& entry_of(const std::string& name) FANFARE_REQUIRES(mutex_);
  void forget_bytes(Entry& entry) FANFARE_REQUIRES(mutex_);
  void make_room() FANFARE_REQUIRES(mutex_);
  void warn_of_size(const std::string& path);

  const std::string directory_;
  const base::Clock& clock_;
  const std::size_t bytes_max_;
  const std::size_t names_max_;
  base::TimePoint next_warning_{};  // of the thread that looks
  base::Mutex mutex_;
  Entries entries_ FANFARE_GUARDED_BY(mutex_);
  // Keys point into the entries' own names.
  boost::unordered_flat_map<std::string_view, Entries::iterator, core::KeyedHash> by_name_
      FANFARE_GUARDED_BY(mutex_);
  std::size_t bytes_ FANFARE_GUARDED_BY(mutex_) = 0;
};

}  // namespace fanfare::api
