#pragma once

#include <cstddef>
#include <string_view>

namespace fanfare::wire::websocket {

/// Walks through a field value that is a comma-separated list, as those of the handshake are (RFC
/// 9110 section 5.6). Blanks are skipped in front of whatever is asked for.
class ListReader {
 public:
  explicit ListReader(std::string_view text) : rest_(text) {}

  /// Empty if something else than a token is next.
  std::string_view token() {
    skip_blanks();
    std::size_t size = 0;
    while (size < rest_.size() && is_token_char(rest_[size])) ++size;
    return take(size);
  }

  /// Takes `c` if it is next.
  bool skip(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// What is between two quotes. Of an escaped character both bytes are kept: no value that means
  /// anything to us has one. False, and everything taken, if the closing quote is missing.
  bool quoted(std::string_view& value) {
    if (!skip('"')) return false;
    std::size_t size = 0;
    while (size < rest_.size() && rest_[size] != '"') size += rest_[size] == '\\' ? 2U : 1U;
    value = take(size);
    return skip('"');
  }

  /// To the beginning of the next element. An empty one counts for nothing.
  void skip_commas() {
    while (skip(',')) {
    }
  }

  [[nodiscard]] bool at_element_end() {
    skip_blanks();
    return rest_.empty() || rest_.front() == ',';
  }
  [[nodiscard]] bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  static bool is_token_char(char c) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  }

  void skip_blanks() {
    const std::size_t size = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(size == std::string_view::npos ? rest_.size() : size);
  }

  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;  // the caller's
};

}  // namespace fanfare::wire::websocket
