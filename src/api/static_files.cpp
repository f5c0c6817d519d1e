#include "api/static_files.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "api/embedded_assets.hpp"
#include "base/fault.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {
namespace {

using wire::http1::Request;
using wire::http1::Response;

constexpr std::string_view kEmbeddedFolder = "bayeux/static/";
// The list of files, as it is asked for.
constexpr std::string_view kListName = "integrity.json";
constexpr std::size_t kNameBytesMax = 128;
// Names that have always meant "the library, whatever its version".
constexpr std::array<std::string_view, 4> kUnpinnedNames{"faye-browser-min.js", "faye-browser.js",
                                                         "client.js", "bayeux.js"};

/// One plain file name: no folders, nothing hidden.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

bool is_listed(std::string_view name) {
  return is_plain_name(name) && name != kListName;
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

std::shared_ptr<const std::string> bytes_of(const FilePtr& file) {
  return {file, &file->bytes};
}

Response list_response(const FilePtr& list) {
  Response response = json_response({});
  response.shared_body = bytes_of(list);
  response.headers.emplace_back("Access-Control-Allow-Origin", "*");
  return response;
}

Response file_response(const FilePtr& file, std::string_view name, std::string_view known_tags) {
  Response response;
  const std::string tag = "\"" + file->integrity.substr(7, 32) + "\"";
  response.headers = {{"Content-Type", std::string(content_type(name))},
                      {"Cache-Control", is_versioned(name) ? "public, max-age=31536000, immutable"
                                                           : "public, max-age=300"},
                      {"ETag", tag}};
  open_to_all(response);
  if (names_tag(known_tags, tag)) {
    response.status = 304;
  } else {
    response.shared_body = bytes_of(file);
  }
  return response;
}

Response answer_to(const FilePtr& file, std::string_view name, std::string_view known_tags) {
  if (!file) return not_found();
  return name == kListName ? list_response(file) : file_response(file, name, known_tags);
}

Response too_busy() {
  return error_response(
      {base::Errc::unavailable, "too many files are being looked for; try again in a moment"});
}

bool is_unpinned(std::string_view name) {
  return std::ranges::find(kUnpinnedNames, name) != kUnpinnedNames.end();
}

}  // namespace

StaticFiles::StaticFiles(std::string directory, base::Background& background,
                         const base::Clock& clock)
    : background_(background), clock_(clock), folder_(std::move(directory), clock) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.path.starts_with(kEmbeddedFolder)) continue;
    built_in_[std::string(file.path.substr(kEmbeddedFolder.size()))] =
        std::make_shared<const File>(std::string(file.bytes));
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

void StaticFiles::handle(const Request& request, std::string_view name, Asker asker, Reply reply) {
  FANFARE_MAY_THROW("a static file");
  if (!is_plain_name(name)) return reply(not_found());
  Question question{std::string(name), std::string(request.header("If-None-Match").value_or(""))};
  const auto found = known(question.name);
  if (!found.is_known) return answer_later(std::move(question), asker, std::move(reply));
  if (found.is_due) look_later(question.name);
  reply(answer_to(found.file, name, question.known_tags));
}

FilePtr StaticFiles::built_in(const std::string& name) const {
  const auto found = built_in_.find(name);
  return found == built_in_.end() ? nullptr : found->second;
}

// The operator's file goes first, then ours; a name without a version means the library.
FolderCache::Known StaticFiles::known(const std::string& name) {
  if (name == kListName) return known_list();
  auto found = folder_.known(name);
  if (found.is_known && !found.file) found.file = built_in(name);
  if (!found.is_known || found.file || !is_unpinned(name)) return found;
  auto library = known(browser_library().name);
  library.is_due |= found.is_due;
  return library;
}

FolderCache::Known StaticFiles::known_list() {
  const base::MutexLock lock(mutex_);
  const base::TimePoint now = clock_.now();
  const bool is_due = list_due_at_ <= now;
  if (is_due && list_) list_due_at_ = now + FolderCache::kLookInterval;
  return {list_ != nullptr, list_, is_due};
}

void StaticFiles::look(const std::string& name) {
  if (name == kListName) return make_list();
  folder_.look(name);
  if (is_unpinned(name)) folder_.look(browser_library().name);
}

void StaticFiles::look_later(const std::string& name) {
  // If the background is too busy for it: the file stays as it is, and is due again in a second.
  static_cast<void>(background_.submit([this, name] { look(name); }));
}

/// An answer that is owed while somebody in the background looks for the file. The background only
/// carries it there and back, and never destroys what the reply owns: dropped there without the
/// answer, because something threw, it is brought to its own thread all the same, to be dropped.
class StaticFiles::Errand {
 public:
  Errand(Asker asker, Question question, Reply reply)
      : asker_(asker),
        waiting_(std::make_unique<Waiting>(Waiting{std::move(question), std::move(reply)})) {}
  Errand(Errand&&) noexcept = default;
  Errand& operator=(Errand&&) = delete;
  ~Errand() {
    if (waiting_) asker_.courier.post(asker_.worker, [kept = std::move(waiting_)] {});
  }

  [[nodiscard]] const std::string& name() const noexcept { return waiting_->question.name; }

  /// In the background.
  void bring(FilePtr file) {
    asker_.courier.post(asker_.worker, [waiting = std::move(waiting_), file = std::move(file)] {
      const Question& asked = waiting->question;
      waiting->reply(answer_to(file, asked.name, asked.known_tags));
    });
  }
  /// Where it was asked.
  void answer_at_once(const Response& response) {
    std::exchange(waiting_, nullptr)->reply(response);
  }

 private:
  struct Waiting {
    Question question;
    Reply reply;
  };
  Asker asker_;
  std::unique_ptr<Waiting> waiting_;
};

void StaticFiles::answer_later(Question question, Asker asker, Reply reply) {
  auto errand = std::make_shared<Errand>(asker, std::move(question), std::move(reply));
  base::Task work([this, errand]() mutable {
    FANFARE_MAY_THROW("a file that is looked for");
    auto found = known(errand->name());
    if (!found.is_known) {  // nobody else has asked for it in the same moment
      look(errand->name());
      found = known(errand->name());
    }
    errand->bring(std::move(found.file));
  });
  if (!background_.submit(std::move(work))) errand->answer_at_once(too_busy());
}

void StaticFiles::make_list() {
  std::map<std::string, std::string> lines;  // by name, so that they are in its order
  const auto add = [&lines](const std::string& name, std::string_view integrity,
                            std::size_t bytes) {
    lines[name] = fmt::format(R"({{"name":{},"integrity":"{}","bytes":{}}})",
                              wire::json::quoted(name), integrity, bytes);
  };
  for (const auto& [name, file] : built_in_) add(name, file->integrity, file->bytes.size());
  for (const auto& file : folder_.list(&is_listed)) add(file.name, file.integrity, file.bytes);

  std::string json = R"({"files":[)";
  for (const auto& [name, line] : lines) json += (json.back() == '[' ? "" : ",") + line;
  auto list = std::make_shared<const File>(json + "]}\n");
  const base::MutexLock lock(mutex_);
  list_ = std::move(list);
  list_due_at_ = clock_.now() + FolderCache::kLookInterval;
}

}  // namespace fanfare::api
