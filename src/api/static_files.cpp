#include "api/static_files.hpp"

#include <algorithm>
#include <array>
#include <dirent.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "api/embedded_assets.hpp"
#include "api/reply.hpp"
#include "base/base64.hpp"
#include "base/log.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {
namespace {

using wire::http1::Request;
using wire::http1::Response;

constexpr std::string_view kEmbeddedFolder = "bayeux/static/";
// Browser libraries are some 40 KB, source maps some 200.
constexpr std::int64_t kFileBytesMax = 8 * 1024 * 1024;
constexpr std::size_t kNameBytesMax = 128;
// Names that have always meant "the library, whatever its version".
constexpr std::array<std::string_view, 4> kUnpinnedNames{"faye-browser-min.js", "faye-browser.js",
                                                         "client.js", "bayeux.js"};

std::string integrity_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha384(), nullptr);
  return "sha384-" + base::encode_base64({reinterpret_cast<const char*>(digest.data()),
                                          size});  // NOLINT: bytes are bytes
}

/// One plain file name: no folders, nothing hidden.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

/// "faye-browser-1.1.2-fanout1-min.js": whoever asks for a version gets the same bytes for ever.
bool is_versioned(std::string_view name) {
  const auto is_digit = [name](std::size_t at) {
    return at < name.size() && name[at] >= '0' && name[at] <= '9';
  };
  for (std::size_t dash = name.find('-'); dash != std::string_view::npos;
       dash = name.find('-', dash + 1)) {
    std::size_t at = dash + 1;
    while (is_digit(at)) ++at;
    if (at > dash + 1 && at < name.size() && name[at] == '.' && is_digit(at + 1)) return true;
  }
  return false;
}

std::string_view content_type(std::string_view name) {
  if (name.ends_with(".js") || name.ends_with(".mjs")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".map") || name.ends_with(".json")) return "application/json; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".txt")) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

/// If-None-Match (RFC 9110 section 13.1.2), also as some write it, without quotes.
bool names_tag(std::string_view header, std::string_view tag) {
  while (!header.empty()) {
    std::string_view one = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), one.size() + 1));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == tag || one == tag.substr(1, tag.size() - 2)) return true;
  }
  return false;
}

/// Pages of every origin load these, with and without `crossorigin`.
void open_to_all(Response& response) {
  response.headers.emplace_back("Access-Control-Allow-Origin", "*");
  response.headers.emplace_back("Cross-Origin-Resource-Policy", "cross-origin");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
}

Response not_found() {
  Response response;
  response.status = 404;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
  response.body =
      "There is no such file; /bayeux/static/integrity.json lists those that are there.\n";
  open_to_all(response);
  return response;
}

}  // namespace

StaticFiles::StaticFiles(std::string directory) : directory_(std::move(directory)) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.path.starts_with(kEmbeddedFolder)) continue;
    built_in_[std::string(file.path.substr(kEmbeddedFolder.size()))] = {std::string(file.bytes),
                                                                        integrity_of(file.bytes)};
  }
}

const StaticFiles::Library& StaticFiles::browser_library() {
  static const Library library = [] {
    for (const EmbeddedFile& file : embedded_files()) {
      if (!file.path.starts_with(kEmbeddedFolder) || !file.path.ends_with(".js")) continue;
      return Library{std::string(file.path.substr(kEmbeddedFolder.size())),
                     integrity_of(file.bytes)};
    }
    return Library{};
  }();
  return library;
}

Response StaticFiles::handle(const Request& request, std::string_view name) {
  if (name == "integrity.json") {
    Response response = json_response(list());
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    return response;
  }
  if (!is_plain_name(name)) return not_found();
  const File* file = find(name);
  if (file == nullptr && std::ranges::find(kUnpinnedNames, name) != kUnpinnedNames.end()) {
    file = find(browser_library().name);
  }
  if (file == nullptr) return not_found();

  Response response;
  const std::string tag = "\"" + file->integrity.substr(7, 32) + "\"";
  response.headers = {{"Content-Type", std::string(content_type(name))},
                      {"Cache-Control", is_versioned(name) ? "public, max-age=31536000, immutable"
                                                           : "public, max-age=300"},
                      {"ETag", tag}};
  open_to_all(response);
  if (names_tag(request.header("If-None-Match").value_or(""), tag)) {
    response.status = 304;
  } else {
    response.body = file->bytes;
  }
  return response;
}

const StaticFiles::File* StaticFiles::find(std::string_view name) {
  if (const File* const operators = read_operators(name)) return operators;
  const auto found = built_in_.find(std::string(name));
  return found == built_in_.end() ? nullptr : &found->second;
}

const StaticFiles::File* StaticFiles::read_operators(std::string_view name) {
  if (directory_.empty()) return nullptr;
  const std::string path = directory_ + "/" + std::string(name);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
  if (status.st_size > kFileBytesMax) {
    base::log::warning(
        fmt::format("{} is not served: it has more than {} bytes", path, kFileBytesMax));
    return nullptr;
  }
  const std::int64_t modified = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  File& file = operators_[std::string(name)];
  if (file.modified_ns != modified ||
      file.bytes.size() != static_cast<std::size_t>(status.st_size)) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return nullptr;
    file.bytes.assign(std::istreambuf_iterator<char>(stream), {});
    file.integrity = integrity_of(file.bytes);
    file.modified_ns = modified;
  }
  return &file;
}

std::string StaticFiles::list() {
  std::vector<std::string> names;
  for (const auto& [name, file] : built_in_) names.push_back(name);
  if (const std::unique_ptr<DIR, int (*)(DIR*)> folder(
          directory_.empty() ? nullptr : ::opendir(directory_.c_str()), ::closedir);
      folder) {
    while (const dirent* const entry = ::readdir(folder.get())) {
      if (is_plain_name(entry->d_name)) names.emplace_back(entry->d_name);
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());

  std::string json = R"({"files":[)";
  bool is_first = true;
  for (const std::string& name : names) {
    const File* const file = find(name);
    if (file == nullptr) continue;
    json += fmt::format(R"({}{{"name":{},"integrity":"{}","bytes":{}}})",
                        std::exchange(is_first, false) ? "" : ",", wire::json::quoted(name),
                        file->integrity, file->bytes.size());
  }
  return json + "]}\n";
}

}  // namespace fanfare::api
