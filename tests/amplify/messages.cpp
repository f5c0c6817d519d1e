#include "amplify/messages.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace fanfare::amplify {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string subscription_field(const Step& step, std::size_t index) {
  const std::size_t count = step.number("names", 1);
  const std::size_t at = step.number("at", 0) + index * step.number("shift", 0);
  const std::string_view spelling = step.text("name", "short");
  if (count == 1) return fmt::format("\"subscription\":\"{}\"", make_channel(spelling, at));
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    list += fmt::format("{}\"{}\"", i == 0 ? "" : ",", make_channel(spelling, at + i));
  }
  return fmt::format("\"subscription\":[{}]", list);
}

std::string ext_field(const Step& step) {
  std::string ext;
  if (step.has("ack")) ext = fmt::format("\"ack\":{}", step.text("ack"));
  if (step.text("sync") == "yes") {
    ext += fmt::format("{}\"timesync\":{{\"tc\":1,\"l\":2,\"o\":3}}", ext.empty() ? "" : ",");
  }
  return ext.empty() ? ext : fmt::format(",\"ext\":{{{}}}", ext);
}

std::string connect(const Step& step, std::string_view client_id) {
  const std::string advice =
      step.has("timeout") ? fmt::format(",\"advice\":{{\"timeout\":{}}}", step.text("timeout"))
                          : std::string();
  return fmt::format(R"({{"channel":"/meta/connect","clientId":"{}","connectionType":"{}"{}{}}})",
                     client_id, step.text("type", "websocket"), advice, ext_field(step));
}

std::string data_of(std::string_view kind, std::size_t size) {
  if (kind == "deep") return repeated("[", size) + repeated("]", size);
  if (kind == "digits") return "1" + std::string(size, '7');
  if (kind == "escapes") return '"' + repeated("\\u0041", size) + '"';
  return '"' + std::string(size, 'x') + '"';
}

}  // namespace

std::string make_channel(std::string_view spelling, std::size_t index) {
  if (spelling == "all") return "/**";
  if (spelling == "star") return fmt::format("/n{}/*", index);
  if (spelling == "stars") return fmt::format("/n{}/**", index);
  if (spelling == "service") return fmt::format("/service/n{}", index);
  if (spelling == "meta") return fmt::format("/meta/n{}", index);
  if (spelling != "long") return fmt::format("/n{}", index);
  // The most that the default limits let pass: 32 segments, 255 bytes.
  const std::string name = repeated("/abcdef", 31);
  std::string last = fmt::format("/{}", index);
  if (name.size() + last.size() < 255) last.append(255 - name.size() - last.size(), 'z');
  return name + last;
}

std::string_view kind_of(const Step& step, std::size_t index) {
  std::string_view kinds = step.text("what", "tiny");
  for (index %= 1 + static_cast<std::size_t>(std::ranges::count(kinds, ',')); index > 0; --index) {
    kinds.remove_prefix(kinds.find(',') + 1);
  }
  return kinds.substr(0, kinds.find(','));
}

bool is_publish(std::string_view kind) {
  return kind == "publish" || kind == "deep" || kind == "digits" || kind == "escapes";
}

std::string make_message(const Step& step, std::size_t index, std::string_view client_id) {
  const std::string_view kind = kind_of(step, index);
  const std::size_t size = step.number("size", 16);
  if (kind == "handshake") {
    return fmt::format(
        R"({{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["websocket","long-polling"]{}}})",
        ext_field(step));
  }
  if (kind == "connect") return connect(step, client_id);
  if (kind == "stranger") return connect(step, std::string(size, 's'));
  if (kind == "subscribe" || kind == "unsubscribe") {
    return fmt::format(R"({{"channel":"/meta/{}","clientId":"{}",{}{}}})", kind, client_id,
                       subscription_field(step, index), ext_field(step));
  }
  if (kind == "disconnect") {
    return fmt::format(R"({{"channel":"/meta/disconnect","clientId":"{}"}})", client_id);
  }
  if (kind == "service") {
    return fmt::format(R"({{"channel":"/service/x","clientId":"{}","data":{}}})", client_id,
                       data_of(kind, size));
  }
  if (is_publish(kind)) {
    const std::size_t at = step.number("at", 0) + index * step.number("shift", 0);
    return fmt::format(R"({{"channel":"{}","clientId":"{}","data":{}{}}})",
                       make_channel(step.text("name", "short"), at), client_id, data_of(kind, size),
                       ext_field(step));
  }
  if (kind == "unknown") {
    return fmt::format(R"({{"channel":"/meta/{}","id":"{}"}})", std::string(size, 'u'), index);
  }
  if (kind == "rubbish") return std::string(size, '{');
  if (kind == "number") return "1";
  return R"({"channel":"/x"})";  // tiny: the least that is a message
}

}  // namespace fanfare::amplify
