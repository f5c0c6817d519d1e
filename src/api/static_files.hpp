#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "api/folder_cache.hpp"
#include "api/reply.hpp"
#include "base/background.hpp"
#include "base/clock.hpp"
#include "core/exchange.hpp"
#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"

namespace fanfare::api {

/// The files under /bayeux/static/: the browser library that the program carries, and whatever the
/// operator puts into a directory of his own, which goes first. Bytes are served as they are,
/// because pages pin their hash (Subresource Integrity).
///
/// Threads: one for all workers, called by any of them. The disk is touched in the background only:
/// what memory does not know yet is answered later, by mail to the worker that asked; what it knows
/// is answered at once, and looked at again at most once a second.
/// Ownership: answers share a file's bytes. The background has to stop before this is destroyed.
class StaticFiles {
 public:
  /// `directory` may be empty.
  StaticFiles(std::string directory, base::Background& background, const base::Clock& clock);

  /// Who asks, and how an answer gets back to its thread.
  struct Asker {
    core::Courier& courier;
    core::WorkerIndex worker;
  };
  /// `name` is what follows "/bayeux/static/". `reply` runs at once, or later on the asker's
  /// thread.
  void handle(const wire::http1::Request& request, std::string_view name, Asker asker, Reply reply);

  /// A file's name and what a page writes into `integrity="…"`.
  struct Library {
    std::string name;
    std::string integrity;
  };
  /// The built-in browser library.
  static const Library& browser_library();

 private:
  /// What a request is about, for the time until it is answered.
  struct Question {
    std::string name;
    std::string known_tags;  // If-None-Match
  };
  class Errand;

  [[nodiscard]] FolderCache::Known known(const std::string& name);
  [[nodiscard]] FolderCache::Known known_list();
  [[nodiscard]] FilePtr built_in(const std::string& name) const;
  void look(const std::string& name);
  void look_later(const std::string& name);
  void answer_later(Question question, Asker asker, Reply reply);
  void make_list();

  base::Background& background_;
  const base::Clock& clock_;
  boost::unordered_flat_map<std::string, FilePtr> built_in_;
  FolderCache folder_;

  base::Mutex mutex_;
  FilePtr list_ FANFARE_GUARDED_BY(mutex_);
  base::TimePoint list_due_at_ FANFARE_GUARDED_BY(mutex_){};
};

}  // namespace fanfare::api
