#pragma once

#include <cstdint>
#include <memory>
#include <poll.h>
#include <string>
#include <vector>

#include "checker/visitor.hpp"
#include "support/connection.hpp"
#include "support/random.hpp"

namespace fanfare::checker {

/// The site's server: publishes batches over one keep-alive connection, each after the answer to
/// the last. Now and then it says something twice under one id, or is cut off before the answer.
class Publisher {
 public:
  Publisher(World& world, std::uint64_t seed, std::string token);

  void step();
  void read();
  void add_descriptors(std::vector<pollfd>& to) const;
  void stop() { is_stopping_ = true; }
  [[nodiscard]] bool is_idle() const { return in_flight_.empty(); }

 private:
  void publish();

  World& world_;
  Random random_;
  std::string headers_;
  std::unique_ptr<Connection> connection_;
  std::vector<PublicationId> in_flight_;
  std::size_t items_ = 0;  // of the request, repeated ones counted
  Time asked_at_;
  Time next_step_;
  bool is_stopping_ = false;
};

}  // namespace fanfare::checker
