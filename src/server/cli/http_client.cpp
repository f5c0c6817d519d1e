#include "server/cli/http_client.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <curl/curl.h>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/units.hpp"
#include "server/cli/version.hpp"
#include "wire/json/json.hpp"

namespace fanfare::server::cli {
namespace {

using namespace base::literals;
using base::Errc;
using base::Error;
using std::chrono::milliseconds;

// Far above a full queue of a session (16 MiB); a server that sends on and on is not ours.
constexpr std::size_t kAnswerBytesMax = 64_MiB;
constexpr long kConnectTimeoutMs = 10'000;
// What has to be polled anyway is told by file descriptors; this is only for curl's own timers.
constexpr int kPollMs = 1000;

template <typename Handle, void (*kFree)(Handle*)>
struct Free {
  void operator()(Handle* handle) const noexcept { kFree(handle); }
};
void free_multi(CURLM* multi) {
  curl_multi_cleanup(multi);
}
void free_url(CURLU* url) {
  curl_url_cleanup(url);
}

using Easy = std::unique_ptr<CURL, Free<CURL, curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<CURLM, free_multi>>;
using Headers = std::unique_ptr<curl_slist, Free<curl_slist, curl_slist_free_all>>;
using Url = std::unique_ptr<CURLU, Free<CURLU, free_url>>;

std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size > kAnswerBytesMax) return 0;  // ends the transfer
  body.append(bytes, size);
  return size;
}

Headers to_list(const std::vector<std::string>& headers) {
  Headers list;
  for (const auto& header : headers) {
    // Gives back the head of the list, which stays the same from the second time on.
    list.reset(curl_slist_append(list.release(), header.c_str()));
  }
  return list;
}

// A proxy of the environment is for the world outside; it cannot reach this machine by this name.
bool is_loopback(const std::string& url) {
  const Url parsed(curl_url());
  char* host = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return false;
  }
  const std::string name(host);
  curl_free(host);
  return name == "localhost" || name == "[::1]" || name.starts_with("127.");
}

Errc code_of(CURLcode result) {
  switch (result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Errc::invalid;
    default:
      return Errc::unavailable;
  }
}

std::optional<std::string> message_of(const std::string& body) {
  const auto json = wire::json::validate(body);
  if (!json) return std::nullopt;
  const auto error = json->find("error");
  const auto message = error ? error->find("message") : std::nullopt;
  if (!message || !message->is_string()) return std::nullopt;
  return message->as_string();
}

// Not the page of a proxy, and nothing that moves the cursor.
bool is_a_line(std::string_view text) {
  constexpr std::size_t kLineBytesMax = 200;
  return !text.empty() && text.size() <= kLineBytesMax && text.front() != '<' &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; });
}

}  // namespace

struct HttpClient::Handles {
  Handles() {
    // Once per process; later calls only count.
    FANFARE_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    easy.reset(curl_easy_init());
    multi.reset(curl_multi_init());
    FANFARE_CHECK(easy != nullptr && multi != nullptr);
    prepare_once();
  }

  template <typename T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy.get(), option, value);
  }

  void prepare_once() {
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_USERAGENT, std::string("fanfare/").append(kVersion).c_str());
    set(CURLOPT_COOKIEFILE, "");  // load balancers keep a session on one node with a cookie
    set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_ERRORBUFFER, error.data());
  }

  void prepare(const Request& request, const Headers& headers, std::string& body) {
    error.front() = '\0';
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    set(CURLOPT_WRITEDATA, static_cast<void*>(&body));
    // None, or what the environment says.
    set(CURLOPT_PROXY, is_loopback(request.url) ? "" : static_cast<const char*>(nullptr));
  }

  CURLcode perform(const std::atomic<bool>& is_stopped) {
    curl_multi_add_handle(multi.get(), easy.get());
    int running = 1;
    while (!is_stopped) {
      curl_multi_perform(multi.get(), &running);
      if (running == 0) break;
      curl_multi_poll(multi.get(), nullptr, 0, kPollMs, nullptr);
    }
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      result = message->data.result;
    }
    curl_multi_remove_handle(multi.get(), easy.get());
    return result;
  }

  std::array<char, CURL_ERROR_SIZE> error{};
  Multi multi;  // before the easy handle, which leaves it when it goes
  Easy easy;
};

HttpClient::HttpClient() : handles_(std::make_unique<Handles>()) {}
HttpClient::~HttpClient() = default;

base::Result<HttpClient::Answer> HttpClient::post(const Request& request) {
  Answer answer;
  const Headers headers = to_list(request.headers);
  handles_->prepare(request, headers, answer.body);
  const CURLcode result = handles_->perform(is_stopped_);
  if (result != CURLE_OK) {
    const std::string_view detail(handles_->error.data());
    return Error{code_of(result),
                 detail.empty() ? std::string(curl_easy_strerror(result)) : std::string(detail)};
  }
  curl_easy_getinfo(handles_->easy.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

void HttpClient::wait(milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!is_stopped_) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    curl_multi_poll(handles_->multi.get(), nullptr, 0, static_cast<int>(left.count()), nullptr);
  }
}

void HttpClient::stop() {
  is_stopped_ = true;
  curl_multi_wakeup(handles_->multi.get());
}

std::string explain_refusal(const HttpClient::Answer& answer) {
  if (auto message = message_of(answer.body)) return std::move(*message);
  std::string_view text(answer.body);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const std::string status = fmt::format("HTTP status {}", answer.status);
  return is_a_line(text) ? fmt::format("{} ({})", text, status) : status;
}

}  // namespace fanfare::server::cli
