#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace fanfare::base {

template <typename Signature>
class UniqueFunction;

/// A call to make later, owned by whoever holds it. Unlike std::function it need not be copyable,
/// so it can carry a socket or a unique_ptr to another thread.
template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <typename F>
  requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, F&, Args...>)
      UniqueFunction(F&& function)  // NOLINT(google-explicit-constructor): lambdas convert, as with
                                    // std::function
      : callable_(std::make_unique<Callable<std::decay_t<F>>>(std::forward<F>(function))) {}

  explicit operator bool() const noexcept { return callable_ != nullptr; }
  R operator()(Args... args) { return callable_->call(std::forward<Args>(args)...); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual R call(Args... args) = 0;
  };
  template <typename F>
  struct Callable final : Base {
    explicit Callable(F&& f) : function(std::move(f)) {}
    explicit Callable(const F& f) : function(f) {}
    R call(Args... args) override { return function(std::forward<Args>(args)...); }
    F function;
  };

  std::unique_ptr<Base> callable_;
};

using Task = UniqueFunction<void()>;

}  // namespace fanfare::base
