#include "relay/base/log.hpp"

#include <fmt/compile.h>

#include "relay/base/text.hpp"

namespace relay::base {

namespace {

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::Debug:
      return "debug";
    case Severity::Info:
      return "info";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "info";
}

}  // namespace

std::string rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"),
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Event::Event(std::string_view name, WallTime now, Severity severity) : severity_(severity) {
  json_.reserve(512);
  json_ += R"({"v":1,"ts":")";
  json_ += rfc3339(now);
  json_ += R"(","level":")";
  json_ += severity_name(severity);
  json_ += R"(","event":)";
  append_json_string(json_, name);
}

void Event::key(std::string_view name) {
  if (json_.back() != '{') json_ += ',';
  json_ += '"';
  json_ += name;
  json_ += "\":";
}

Event& Event::text(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(json_, value);
  return *this;
}

Event& Event::number(std::string_view name, std::int64_t value) {
  key(name);
  json_ += fmt::format_int(value).c_str();
  return *this;
}

Event& Event::flag(std::string_view name, bool value) {
  key(name);
  json_ += value ? "true" : "false";
  return *this;
}

Event& Event::list(std::string_view name, std::span<const std::string> values) {
  key(name);
  json_ += '[';
  for (const std::string& value : values) {
    if (json_.back() != '[') json_ += ',';
    append_json_string(json_, value);
  }
  json_ += ']';
  return *this;
}

Event& Event::keep() {
  kept_ = true;
  return *this;
}

Event& Event::open(std::string_view name) {
  key(name);
  json_ += '{';
  ++depth_;
  return *this;
}

Event& Event::close() {
  if (depth_ > 1) {
    json_ += '}';
    --depth_;
  }
  return *this;
}

std::string Event::line() && {
  while (depth_-- > 0) json_ += '}';
  return std::move(json_);
}

}  // namespace relay::base
