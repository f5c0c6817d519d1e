#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace fanfare::base {

/// Fills `into` from the kernel's cryptographic generator. Ends the process if the kernel has none.
void fill_random(std::span<std::uint8_t> into);

std::uint64_t random_u64();

/// A keyed hash for names that peers choose. The key is drawn once per process, so nobody outside
/// can choose collisions (a flood of equal hashes turns a table into a list).
std::uint64_t keyed_hash(std::string_view text) noexcept;

}  // namespace fanfare::base
