#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace fanfare::base {

/// An id that is a type of its own: passing a session where a realm is wanted does not compile.
template <typename Tag, typename Value>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(Value value) : value_(std::move(value)) {}

  [[nodiscard]] const Value& value() const noexcept { return value_; }
  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  friend bool operator==(const StrongId&, const StrongId&) = default;

 private:
  Value value_{};
};

}  // namespace fanfare::base

template <typename Tag, typename Value>
struct std::hash<fanfare::base::StrongId<Tag, Value>> {
  std::size_t operator()(const fanfare::base::StrongId<Tag, Value>& id) const noexcept {
    return std::hash<Value>{}(id.value());
  }
};
