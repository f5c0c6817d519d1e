#pragma once

#include "core/publication.hpp"

namespace fanfare::core {

/// Where publications go. The hub knows nothing else about a session; tests use a recorder.
class Subscriber {
 public:
  /// Takes the publication into the subscriber's own queue. Must return at once, must not throw,
  /// and must not call back into the hub: the hub is iterating. Comes once for each of the
  /// subscriber's subscriptions that match, one directly after the other.
  virtual void deliver(const PublicationPtr& publication) noexcept = 0;

  /// Something threw, and so it is not certain that all was delivered that should have been. The
  /// subscriber ends, later, in a way that tells its client: a gap is told, never silent. Under the
  /// same conditions as deliver().
  virtual void missed() noexcept = 0;

 protected:
  ~Subscriber() = default;  // the hub never owns one
};

}  // namespace fanfare::core
