// The domain without bytes: who listens, and how publications are put together.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/bundle.hpp"
#include "core/hub.hpp"
#include "support.hpp"

namespace fanfare::benchmarks {
namespace {

/// One publish to all subscribers of a channel. Counts the hub's walk over them, not what they do.
void hub_fan_out(benchmark::State& state) {
  core::Hub hub([](const core::ChannelPattern&) {});
  std::vector<Counter> subscribers(static_cast<std::size_t>(state.range(0)));
  std::vector<core::Subscription> held;
  for (auto& subscriber : subscribers) held.push_back(hub.subscribe(pattern("/a/b"), subscriber));
  const auto one = publication("/a/b");
  for (auto _ : state) hub.publish(one);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hub_fan_out)->Arg(1)->Arg(1'000)->Arg(10'000);

/// One publish while there are many channels, each with one subscriber: the look-up.
void hub_find_channel(benchmark::State& state) {
  core::Hub hub([](const core::ChannelPattern&) {});
  Counter subscriber;
  std::vector<core::Subscription> held;
  std::vector<core::PublicationPtr> publications;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto channel = fmt::format("/comments/{}", i);
    held.push_back(hub.subscribe(pattern(channel), subscriber));
    publications.push_back(publication(channel));
  }
  std::size_t next = 0;
  for (auto _ : state) {
    hub.publish(publications[next]);
    // Steps of a prime: the next channel is not the one that lies next to it in memory.
    next = (next + 7919) % publications.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hub_find_channel)->Arg(100)->Arg(100'000);

void hub_subscribe_and_leave(benchmark::State& state) {
  core::Hub hub([](const core::ChannelPattern&) {});
  Counter subscriber;
  const auto channel = pattern("/comments/12");
  for (auto _ : state) benchmark::DoNotOptimize(hub.subscribe(channel, subscriber));
}
BENCHMARK(hub_subscribe_and_leave);

void pattern_match(benchmark::State& state) {
  const auto wide = pattern("/a/**");
  const std::string channel = "/a/b/c/d";
  for (auto _ : state) benchmark::DoNotOptimize(wide.matches(channel));
}
BENCHMARK(pattern_match);

void pattern_parse(benchmark::State& state) {
  const std::string text = "/comments/2016-03-18/*";
  for (auto _ : state) {
    benchmark::DoNotOptimize(core::ChannelPattern::parse(text, core::ChannelRules{}));
  }
}
BENCHMARK(pattern_parse);

/// The row of publications that met in one loop turn, as the first session of a channel makes it;
/// all others find it.
void bundle_of_a_turn(benchmark::State& state) {
  std::vector<core::PublicationPtr> publications;
  for (std::int64_t i = 0; i < state.range(0); ++i) publications.push_back(publication("/a"));
  for (auto _ : state) {
    core::BundlePtr bundle;
    for (const auto& each : publications) {
      bundle = bundle ? bundle->with(each) : core::Bundle::of(each);
    }
    benchmark::DoNotOptimize(bundle.get());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bundle_of_a_turn)->Arg(1)->Arg(16);

}  // namespace
}  // namespace fanfare::benchmarks
