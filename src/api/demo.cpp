#include "api/demo.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "api/embedded_assets.hpp"
#include "api/static_files.hpp"
#include "base/fault.hpp"

namespace fanfare::api {
namespace {

using base::Errc;
using base::Error;
using wire::http1::Request;
using wire::http1::Response;
using wire::json::quoted;
using wire::json::Value;

constexpr std::string_view kFolder = "demo/";
constexpr std::size_t kCommentsMax = 50;
constexpr std::size_t kTextBytesMax = 2000;
constexpr std::size_t kNameBytesMax = 100;

std::string_view content_type(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

Response file_response(const EmbeddedFile& file) {
  Response response;
  response.headers = {
      {"Content-Type", std::string(content_type(file.path))},
      {"Cache-Control", "no-cache"},
      {"X-Content-Type-Options", "nosniff"},
      {"Content-Security-Policy",
       "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self'; img-src 'self' data:"}};
  response.body.assign(file.bytes);
  return response;
}

/// The two texts of a comment, without the blanks around them.
struct Draft {
  std::string name;
  std::string text;
};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

base::Result<std::string> read_text(std::string_view name, const std::optional<Value>& field) {
  if (!field) return std::string();
  if (!field->is_string()) {
    return Error{Errc::invalid,
                 fmt::format("'{}' is {}, not a string", name, describe(field->kind()))};
  }
  return trimmed(field->as_string());
}

base::Result<Draft> read_draft(std::string_view body, wire::json::Parser& parser) {
  const auto document = parser.parse(body);
  if (!document) return document.error();
  const auto fields = wire::json::pick_fields<2>(*document, {"name", "text"});
  if (!fields) return fields.error();
  auto name = read_text("name", (*fields)[0]);
  if (!name) return name.error();
  auto text = read_text("text", (*fields)[1]);
  if (!text) return text.error();
  Draft draft{std::move(*name), std::move(*text)};
  if (draft.name.empty()) draft.name = "Anonymous";
  if (draft.text.empty()) return Error{Errc::invalid, "'text' is empty"};
  if (draft.text.size() > kTextBytesMax) {
    return Error{Errc::too_large, fmt::format("'text' has {} bytes, at most {} are kept",
                                              draft.text.size(), kTextBytesMax)};
  }
  if (draft.name.size() > kNameBytesMax) {
    return Error{Errc::too_large, fmt::format("'name' has {} bytes, at most {} are kept",
                                              draft.name.size(), kNameBytesMax)};
  }
  return draft;
}

/// `application/json; charset=utf-8`: without what follows the type.
bool is_json(std::string_view content_type) {
  std::string type = trimmed(std::string(content_type.substr(0, content_type.find(';'))));
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return type == "application/json";
}

/// `https://example.com:8443` is the server's own page when that is where the request went.
bool is_own_origin(std::string_view origin, const Request& request) {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && origin.substr(scheme + 3) == request.host_with_port();
}

constexpr ErrorForm kForbidden{403, "forbidden"};

/// Why a post is not one of our own page, or nothing if it is. Browsers say where a post comes
/// from, and a page of another origin may send JSON only after a preflight, which is not granted
/// here.
std::optional<Response> refuse_foreign(const Request& request) {
  const auto origin = request.header("Origin");
  const bool is_foreign =
      request.header("Sec-Fetch-Site").value_or("same-origin") != "same-origin" ||
      (origin && !is_own_origin(*origin, request));
  if (is_foreign) {
    return error_response(kForbidden,
                          "the demo takes comments from its own page only; pages of other origins "
                          "publish through their own server");
  }
  if (request.count("Content-Type") != 1 || !is_json(*request.header("Content-Type"))) {
    return error_response({415, "unsupported_media_type"},
                          "send the comment with 'Content-Type: application/json'");
  }
  return std::nullopt;
}

std::string info(const core::Realm& realm, std::string_view bayeux) {
  const StaticFiles::Library& library = StaticFiles::browser_library();
  return fmt::format(R"({{"realm":{},"bayeux":{},"library":{},"integrity":{}}})"
                     "\n",
                     quoted(realm.id.value()), quoted(bayeux), quoted(library.name),
                     quoted(library.integrity));
}

}  // namespace

bool DemoComments::admit(base::TimePoint now) {
  const base::MutexLock lock(mutex_);
  if (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now;
    in_this_second_ = 0;
  }
  if (in_this_second_ == kPerSecondMax) return false;
  ++in_this_second_;
  return true;
}

std::uint64_t DemoComments::add(std::string name, std::string text, base::WallTime at) {
  const base::MutexLock lock(mutex_);
  comments_.push_back({next_id_, std::move(name), std::move(text), at});
  if (comments_.size() > kCommentsMax) comments_.pop_front();
  return next_id_++;
}

std::string DemoComments::to_json() {
  const base::MutexLock lock(mutex_);
  std::string json = R"({"comments":[)";
  for (const Comment& comment : comments_) {
    if (comment.id != comments_.front().id) json += ',';
    const std::tm utc = fmt::gmtime(std::chrono::system_clock::to_time_t(comment.at));
    json += fmt::format(R"({{"id":{},"name":{},"text":{},"at":"{:%Y-%m-%dT%H:%M:%SZ}"}})",
                        comment.id, quoted(comment.name), quoted(comment.text), utc);
  }
  return json + "]}\n";
}

void Demo::handle(const Request& request, const core::RealmPtr& realm, std::string_view path,
                  std::string_view bayeux, Reply reply) {
  FANFARE_MAY_THROW("a request of the demo");
  const bool is_read = request.method() == "GET" || request.method() == "HEAD";
  if (path == "comments" && request.method() == "POST")
    return post_comment(request, realm, std::move(reply));
  if (!is_read)
    return reply(method_not_allowed(path == "comments" ? "GET, HEAD, POST" : "GET, HEAD"));
  if (path == "comments") return reply(json_response(comments_.to_json()));
  if (path == "info.json") return reply(json_response(info(*realm, bayeux)));
  const std::string_view file_name = path.empty() ? "index.html" : path;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path.starts_with(kFolder) && file.path.substr(kFolder.size()) == file_name) {
      return reply(file_response(file));
    }
  }
  reply(error_response({Errc::not_found, "there is no such page; the demo begins at /demo/"}));
}

void Demo::post_comment(const Request& request, const core::RealmPtr& realm, Reply reply) {
  if (auto refusal = refuse_foreign(request)) return reply(std::move(*refusal));
  auto draft = read_draft(request.body(), parser_);
  if (!draft) return reply(error_response(draft.error()));
  if (const auto backlog = exchange_.check_backlog(*realm); !backlog)
    return reply(error_response(backlog.error()));
  FANFARE_MAY_THROW("a comment of the demo");
  if (!comments_.admit(clock_.now())) {
    return reply(error_response({429, "limit_reached"},
                                fmt::format("the demo takes {} comments a second from all visitors "
                                            "together; try again in a moment",
                                            DemoComments::kPerSecondMax)));
  }
  const std::uint64_t id =
      comments_.add(std::move(draft->name), std::move(draft->text), clock_.wall_now());
  auto channel = core::ChannelName::from_api_name("demo-comments", {});
  std::vector<core::PublishItem> items(1);
  items[0].publication = core::make_publication(*realm, std::move(*channel),
                                                fmt::format(R"({{"new_comment":{}}})", id));
  exchange_.publish(realm, std::move(items), [reply = std::move(reply), id]() mutable {
    reply(json_response(fmt::format(R"({{"comment_posted":true,"id":{}}})"
                                    "\n",
                                    id)));
  });
}

}  // namespace fanfare::api
