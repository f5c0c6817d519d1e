// A publish on its way in, from the bytes of its request to the bytes that leave for a subscriber.
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "api/publish_body.hpp"
#include "base/check.hpp"
#include "core/bundle.hpp"
#include "protocol/bayeux/replies.hpp"
#include "support.hpp"
#include "wire/http1/request.hpp"
#include "wire/json/json.hpp"
#include "wire/jwt/jwt.hpp"
#include "wire/websocket/frame.hpp"

namespace fanfare::benchmarks {
namespace {

std::string publish_body() {
  return fmt::format(R"({{"items":[{{"channel":"comments-12","json-object":{}}}]}})", payload());
}

/// The head and the body of one publish.
void read_request(benchmark::State& state) {
  const auto body = publish_body();
  const auto request = fmt::format(
      "POST /realm/3f2a9c1e/publish/ HTTP/1.1\r\nHost: 127.0.0.1:8400\r\n"
      "Content-Type: application/json\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{}",
      std::string(150, 't'), body.size(), body);
  wire::http1::RequestParser parser{wire::http1::RequestLimits{}};
  for (auto _ : state) {
    std::string_view rest = request;
    while (true) {
      const auto progress = parser.feed(rest);
      rest.remove_prefix(progress.consumed);
      if (progress.state == wire::http1::Progress::complete) break;
      FANFARE_CHECK(progress.state == wire::http1::Progress::need_more && !rest.empty());
    }
    benchmark::DoNotOptimize(parser.take_request());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.size()));
}
BENCHMARK(read_request);

void verify_token(benchmark::State& state) {
  const std::string key(32, 'k');
  const std::array<std::string_view, 1> keys{key};
  const auto now = std::chrono::system_clock::time_point{std::chrono::seconds(1'800'000'000)};
  const auto token = wire::jwt::sign_hs256("3f2a9c1e", 1'800'003'600, key);
  for (auto _ : state) benchmark::DoNotOptimize(wire::jwt::verify_hs256(token, keys, now));
}
BENCHMARK(verify_token);

/// JSON validated, items read, `data` sliced out.
void read_publish(benchmark::State& state) {
  const auto body = publish_body();
  const core::Realm realm = core::make_realm();
  wire::json::Parser parser;
  for (auto _ : state) {
    benchmark::DoNotOptimize(api::read_publish_body(body, std::nullopt, realm, parser));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(read_publish);

/// The frame that all subscribers of a channel share, for as many publications as met.
void build_frame(benchmark::State& state) {
  std::vector<core::PublicationPtr> publications;
  for (std::int64_t i = 0; i < state.range(0); ++i) publications.push_back(publication("/a"));
  for (auto _ : state) {
    auto bundle = core::Bundle::of(publications.front());
    for (std::size_t i = 1; i < publications.size(); ++i) bundle = bundle->with(publications[i]);
    std::string array = "[";
    array.append(protocol::bayeux::deliveries(*bundle)).append("]");
    benchmark::DoNotOptimize(wire::websocket::encode_frame(wire::websocket::Opcode::text, array));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(build_frame)->Arg(1)->Arg(16);

}  // namespace
}  // namespace fanfare::benchmarks
