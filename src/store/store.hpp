#pragma once

#include <filesystem>
#include <memory>

#include "base/result.hpp"
#include "core/realm.hpp"

namespace fanfare::store {

/// Opens the store in `data_dir`, and first makes the directory (for its owner only) and the
/// database (likewise), whatever the umask says. A store of a newer version is refused. Errors are
/// sentences for the operator: which directory, what is wrong, what to do.
///
/// Threads: the store is called from one thread at a time. Several processes may have it open.
/// Realms come back with their id and keys; all else is as core::Realm has it.
[[nodiscard]] base::Result<std::unique_ptr<core::RealmStore>> open(
    const std::filesystem::path& data_dir);

/// Whether open() would find a store rather than make one.
[[nodiscard]] bool exists_in(const std::filesystem::path& data_dir);

}  // namespace fanfare::store
