#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace fanfare::base {

/// Why an operation failed, for programs. Transports map a code to an HTTP status, a close code or
/// a protocol's own error.
enum class Errc {
  invalid,       ///< The input is wrong; sending it again will not help.
  unauthorized,  ///< Who asks is not known, or not proven.
  forbidden,     ///< Who asks is known, and may not.
  not_found,
  conflict,     ///< Fine by itself, but something else stands in the way.
  too_large,    ///< Over a limit; the detail names it.
  unavailable,  ///< Not now; later may work.
  io,           ///< The system refused: a file, a socket, a database.
};

/// `code` is for programs; `detail` is a sentence for people that says what to change. Neither
/// carries a path of the server or a stack to a peer.
struct Error {
  Errc code = Errc::invalid;
  std::string detail;
};

/// A value or the reason why there is none. Reading the side that is not there is a bug of ours.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {
  }  // NOLINT(google-explicit-constructor): `return value;` is the point
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {
  }  // NOLINT(google-explicit-constructor): as above

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return checked<0>(state_); }
  const T& value() const& { return checked<0>(state_); }
  T&& value() && { return std::move(checked<0>(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() { return checked<1>(state_); }
  [[nodiscard]] const Error& error() const { return checked<1>(state_); }

 private:
  template <std::size_t kSide, typename State>
  static auto& checked(State& state) {
    FANFARE_CHECK(state.index() == kSide);
    return *std::get_if<kSide>(&state);
  }

  std::variant<T, Error> state_;
};

struct Done {};

/// For operations that only succeed or fail: `return Done{};`
using Status = Result<Done>;

}  // namespace fanfare::base
