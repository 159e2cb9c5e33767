// One JSON object on a line. Texts are untrusted: octets that are not UTF-8 or could deceive a
// terminal are escaped.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace relay::ops {

/// Built field by field, in order; begins with "v":1. Keys are literals in our code.
class JsonLine {
 public:
  JsonLine& text(std::string_view key, std::string_view value);
  JsonLine& number(std::string_view key, std::int64_t value);
  JsonLine& number(std::string_view key, std::uint64_t value);
  JsonLine& flag(std::string_view key, bool value);
  JsonLine& texts(std::string_view key, std::span<const std::string> values);

  /// Begins a nested object; fields go into it until close().
  JsonLine& open(std::string_view key);
  JsonLine& close();

  /// A list of objects: `each(*this, element)` writes the fields of one.
  template <class Range, class Each>
  JsonLine& objects(std::string_view key, const Range& range, Each each) {
    begin_list(key);
    for (const auto& element : range) {
      begin_element();
      each(*this, element);
      close();
    }
    return end_list();
  }

  /// The finished line, with line feed.
  std::string line() &&;

 private:
  void key(std::string_view name);
  void begin_list(std::string_view name);
  void begin_element();
  JsonLine& end_list();

  std::string json_ = R"({"v":1)";
};

}  // namespace relay::ops
