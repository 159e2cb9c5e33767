#include "relay/ops/json_line.hpp"

#include <utility>

#include <fmt/format.h>

#include "relay/base/text.hpp"

namespace relay::ops {

JsonLine& JsonLine::text(std::string_view name, std::string_view value) {
  key(name);
  base::append_json_string(json_, value, std::string_view::npos);
  return *this;
}

JsonLine& JsonLine::number(std::string_view name, std::int64_t value) {
  key(name);
  json_ += fmt::format_int(value).c_str();
  return *this;
}

JsonLine& JsonLine::number(std::string_view name, std::uint64_t value) {
  key(name);
  json_ += fmt::format_int(value).c_str();
  return *this;
}

JsonLine& JsonLine::flag(std::string_view name, bool value) {
  key(name);
  json_ += value ? "true" : "false";
  return *this;
}

JsonLine& JsonLine::texts(std::string_view name, std::span<const std::string> values) {
  begin_list(name);
  for (const std::string& value : values) {
    if (json_.back() != '[') json_ += ',';
    base::append_json_string(json_, value, std::string_view::npos);
  }
  return end_list();
}

JsonLine& JsonLine::open(std::string_view name) {
  key(name);
  json_ += '{';
  return *this;
}

JsonLine& JsonLine::close() {
  json_ += '}';
  return *this;
}

std::string JsonLine::line() && {
  json_ += "}\n";
  return std::move(json_);
}

void JsonLine::key(std::string_view name) {
  if (json_.back() != '{') json_ += ',';
  json_ += '"';
  json_ += name;
  json_ += "\":";
}

void JsonLine::begin_list(std::string_view name) {
  key(name);
  json_ += '[';
}

void JsonLine::begin_element() {
  if (json_.back() != '[') json_ += ',';
  json_ += '{';
}

JsonLine& JsonLine::end_list() {
  json_ += ']';
  return *this;
}

}  // namespace relay::ops
