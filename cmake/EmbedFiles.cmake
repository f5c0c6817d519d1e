# cmake -DMANIFEST=list.txt -DOUTPUT=embedded_assets.cpp -P EmbedFiles.cmake
#
# Writes the C++ file behind api/embedded_assets.hpp. The manifest has a line per file: the path in
# the program, a tab, the path on the disk. Plain string literals, because they need no assembler
# and no object format: the same file builds on Linux and macOS, under g++ and clang.

file(STRINGS "${MANIFEST}" lines)
set(entries "")
list(LENGTH lines count)
foreach(line IN LISTS lines)
  string(REPLACE "\t" ";" line "${line}")
  list(GET line 0 path)
  list(GET line 1 file)
  file(READ "${file}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  # Every byte is escaped, so no escape can swallow a digit that follows it.
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${hex}")
  string(APPEND entries "    {\"${path}\", std::string_view(\"${bytes}\", ${size})},\n")
endforeach()

file(WRITE "${OUTPUT}" "// Made by cmake/EmbedFiles.cmake.
#include \"api/embedded_assets.hpp\"

#include <array>

namespace fanfare::api {
namespace {

constexpr std::array<EmbeddedFile, ${count}> kFiles{{
${entries}}};

}  // namespace

std::span<const EmbeddedFile> embedded_files() { return kFiles; }

}  // namespace fanfare::api
")
