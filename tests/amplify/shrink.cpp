#include "amplify/shrink.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::amplify {
namespace {

class Shrinking {
 public:
  Shrinking(Script script, const std::function<bool(const Script&)>& still_fails, std::size_t tries)
      : script_(std::move(script)), still_fails_(still_fails), tries_(tries) {}

  Script run() {
    while (tries_ > 0 && (leave_out_steps() || make_numbers_smaller() || leave_out_fields())) {
    }
    return std::move(script_);
  }

 private:
  bool accept(Script smaller) {
    if (tries_ == 0) return false;
    --tries_;
    if (!still_fails_(smaller)) return false;
    script_ = std::move(smaller);
    return true;
  }

  /// From the end: what comes last needs what came before, seldom the other way round.
  bool leave_out_steps() {
    bool has_shrunk = false;
    for (std::size_t i = script_.steps.size(); i-- > 0;) {
      Script smaller = script_;
      smaller.steps.erase(smaller.steps.begin() + static_cast<std::ptrdiff_t>(i));
      has_shrunk = accept(std::move(smaller)) || has_shrunk;
    }
    return has_shrunk;
  }

  bool make_numbers_smaller() {
    bool has_shrunk = false;
    for (std::size_t i = 0; i < script_.steps.size(); ++i) {
      for (std::size_t j = 0; j < script_.steps[i].fields.size(); ++j) {
        has_shrunk = make_smaller(i, j) || has_shrunk;
      }
    }
    return has_shrunk;
  }

  /// To 1 at once, or else in halves.
  bool make_smaller(std::size_t step, std::size_t field) {
    const auto [name, text] = script_.steps[step].fields[field];
    const std::size_t number = script_.steps[step].number(name, 0);
    if (number <= 1 || text.find_first_not_of("0123456789") != std::string::npos) return false;
    for (const std::size_t smaller : {std::size_t{1}, number / 8, number / 2}) {
      if (smaller == 0) continue;
      Script candidate = script_;
      candidate.steps[step].set(name, smaller);
      if (accept(std::move(candidate))) return true;
    }
    return false;
  }

  bool leave_out_fields() {
    bool has_shrunk = false;
    for (std::size_t i = 0; i < script_.steps.size(); ++i) {
      for (std::size_t j = script_.steps[i].fields.size(); j-- > 0;) {
        Script smaller = script_;
        auto& fields = smaller.steps[i].fields;
        fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(j));
        has_shrunk = accept(std::move(smaller)) || has_shrunk;
      }
    }
    return has_shrunk;
  }

  Script script_;
  const std::function<bool(const Script&)>& still_fails_;
  std::size_t tries_;
};

}  // namespace

Script shrink(Script script, const std::function<bool(const Script&)>& still_fails,
              std::size_t tries) {
  return Shrinking(std::move(script), still_fails, tries).run();
}

}  // namespace fanfare::amplify
