#include "api/file_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fanfare::api {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int value() const noexcept { return value_; }

 private:
  int value_;
};

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileIdentity> identify(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                      nanoseconds(status.st_ctim)};
}

/// To its end, wherever that is by then, or until there is more than may be. False on an error.
bool read_all(int descriptor, std::size_t bytes_max, std::string& into) {
  constexpr std::size_t kPiece = 64 * 1024;
  for (;;) {
    const std::size_t had = into.size();
    if (had > bytes_max) return true;
    into.resize(had + kPiece);
    const ssize_t count = ::read(descriptor, into.data() + had, kPiece);
    into.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

}  // namespace

FileLook look_at_file(const std::string& path, std::size_t bytes_max,
                      const std::optional<FileIdentity>& known) {
  FileLook look;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.value() < 0) return look;
  const auto identity = identify(file.value());
  if (!identity) return look;
  look.identity = *identity;
  if (identity == known) {
    look.state = FileLook::unchanged;
    return look;
  }
  if (identity->bytes > static_cast<std::int64_t>(bytes_max)) {
    look.state = FileLook::too_large;
    return look;
  }
  look.bytes.reserve(static_cast<std::size_t>(identity->bytes) + 1);
  if (!read_all(file.value(), bytes_max, look.bytes)) return FileLook{};
  look.state = look.bytes.size() > bytes_max ? FileLook::too_large : FileLook::read;
  return look;
}

}  // namespace fanfare::api
