#include "api/folder_cache.hpp"

#include <algorithm>
#include <array>
#include <dirent.h>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/base64.hpp"
#include "base/log.hpp"

namespace fanfare::api {

std::string integrity_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha384(), nullptr);
  return "sha384-" + base::encode_base64({reinterpret_cast<const char*>(digest.data()), size});
}

FolderCache::FolderCache(std::string directory, const base::Clock& clock, std::size_t bytes_max,
                         std::size_t names_max)
    : directory_(std::move(directory)),
      clock_(clock),
      bytes_max_(bytes_max),
      names_max_(names_max) {}

FolderCache::Known FolderCache::known(const std::string& name) {
  if (directory_.empty()) return {true, nullptr, false};
  const base::TimePoint now = clock_.now();
  const base::MutexLock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return {};
  entries_.splice(entries_.begin(), entries_, found->second);
  Entry& entry = *found->second;
  if (entry.identity && !entry.file) return {};
  const bool is_due = entry.due_at <= now;
  if (is_due) entry.due_at = now + kLookInterval;
  return {true, entry.file, is_due};
}

void FolderCache::look(const std::string& name) {
  if (!directory_.empty()) refresh(name, true);
}

std::size_t FolderCache::bytes() {
  const base::MutexLock lock(mutex_);
  return bytes_;
}

std::vector<FolderCache::Listed> FolderCache::list(bool (*is_wanted)(std::string_view name)) {
  std::vector<Listed> listed;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(
      directory_.empty() ? nullptr : ::opendir(directory_.c_str()), ::closedir);
  if (!folder) return listed;
  while (const dirent* const found = ::readdir(folder.get())) {
    const std::string name(found->d_name);
    if (listed.size() == names_max_ || !is_wanted(name)) continue;
    // Its hash is wanted, not its bytes: they would drive out those that are being asked for.
    refresh(name, false);
    const base::MutexLock lock(mutex_);
    const Entry& entry = entry_of(name);
    if (entry.identity) listed.push_back({name, entry.integrity, entry.bytes});
  }
  return listed;
}

std::optional<FileIdentity> FolderCache::identity_of(const std::string& name, bool has_bytes) {
  const base::MutexLock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || (has_bytes && !found->second->file)) return std::nullopt;
  return found->second->identity;
}

void FolderCache::refresh(const std::string& name, bool wants_bytes) {
  const std::string path = directory_ + "/" + name;
  FileLook look = look_at_file(path, kFileBytesMax, identity_of(name, wants_bytes));
  if (look.state == FileLook::too_large) warn_of_size(path);
  keep(name, std::move(look), wants_bytes);
}

void FolderCache::keep(const std::string& name, FileLook look, bool wants_bytes) {
  FilePtr file;
  // Hashed before the lock is taken.
  if (look.state == FileLook::read) file = std::make_shared<const File>(std::move(look.bytes));
  const base::MutexLock lock(mutex_);
  Entry& entry = entry_of(name);
  entry.due_at = clock_.now() + kLookInterval;
  if (look.state == FileLook::unchanged) return;
  forget_bytes(entry);
  entry.identity.reset();
  if (!file) return;
  entry.identity = look.identity;
  entry.integrity = file->integrity;
  entry.bytes = file->bytes.size();
  if (!wants_bytes) return;
  bytes_ += entry.bytes;
  entry.file = std::move(file);
  entries_.splice(entries_.begin(), entries_, by_name_.at(name));
  make_room();
}

FolderCache::Entry& FolderCache::entry_of(const std::string& name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return *found->second;
  entries_.push_front(Entry{name});
  by_name_.emplace(entries_.front().name, entries_.begin());
  make_room();
  return entries_.front();
}

void FolderCache::forget_bytes(Entry& entry) {
  if (!entry.file) return;
  bytes_ -= entry.bytes;
  entry.file.reset();  // who is sending it has it still
}

// Never touches the first: that is the one that room is made for.
void FolderCache::make_room() {
  while (entries_.size() > names_max_ && entries_.size() > 1) {
    forget_bytes(entries_.back());
    by_name_.erase(entries_.back().name);
    entries_.pop_back();
  }
  for (auto at = std::prev(entries_.end()); bytes_ > bytes_max_ && at != entries_.begin(); --at)
    forget_bytes(*at);
}

void FolderCache::warn_of_size(const std::string& path) {
  if (clock_.now() < next_warning_) return;
  next_warning_ = clock_.now() + kWarningInterval;
  base::log::warning(fmt::format("{} is not served: it has more than {}, which is the most", path,
                                 base::format_size(kFileBytesMax)));
}

}  // namespace fanfare::api
