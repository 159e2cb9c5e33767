#include "relay/ops/request.hpp"

#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "relay/base/quantity.hpp"
#include "relay/ops/copy_name.hpp"

namespace relay::ops {

namespace json = boost::json;

namespace {

using Problem = std::optional<std::string>;

constexpr std::chrono::hours kLongestPause{24 * 366};

Problem read_verb(Request& request, const json::value& value) {
  if (!value.is_string()) return "expected a string";
  const auto verb = verb_named(value.get_string());
  if (!verb) return fmt::format("unknown verb {}", value.get_string().c_str());
  request.verb = *verb;
  return std::nullopt;
}

Problem read_words(Request& request, const json::value& value) {
  if (!value.is_array()) return "expected a list of strings";
  for (const json::value& word : value.get_array()) {
    if (!word.is_string()) return "expected a list of strings";
    request.words.emplace_back(word.get_string());
  }
  return std::nullopt;
}

Problem read_reason(Request& request, const json::value& value) {
  if (!value.is_string()) return "expected a string";
  request.reason = value.get_string();
  return std::nullopt;
}

template <bool Request::* kFlag>
Problem read_flag(Request& request, const json::value& value) {
  if (!value.is_bool()) return "expected true or false";
  request.*kFlag = value.get_bool();
  return std::nullopt;
}

Problem read_format(Request& request, const json::value& value) {
  if (!value.is_string() || (value.get_string() != "text" && value.get_string() != "json")) {
    return R"(expected "text" or "json")";
  }
  request.text = value.get_string() == "text";
  return std::nullopt;
}

Problem read_limit(Request& request, const json::value& value) {
  if (!value.is_int64() || value.get_int64() < 1) return "expected a number from 1 on";
  request.limit = static_cast<std::size_t>(value.get_int64());
  return std::nullopt;
}

Problem read_after(Request& request, const json::value& value) {
  if (value.is_string()) request.after = parse_copy_name(value.get_string());
  if (!request.after) return "expected an id as a listing gives it: ID/NUMBER";
  return std::nullopt;
}

Problem read_span(Request& request, const json::value& value) {
  if (!value.is_string()) return "expected a string";
  const auto span = base::parse_duration(value.get_string());
  if (!span) return span.error();
  if (span->count() == 0) return "expected more than 0";
  if (*span > kLongestPause) return "expected no more than a year";
  request.span = *span;
  return std::nullopt;
}

Problem read_version(Request&, const json::value& value) {
  if (!value.is_int64() || value.get_int64() != 1) return "expected 1";
  return std::nullopt;
}

struct RequestField {
  std::string_view key;
  Problem (*read)(Request&, const json::value&);
};

constexpr std::array<RequestField, 11> kFields{{
    {"v", read_version},
    {"verb", read_verb},
    {"filter", read_words},
    {"reason", read_reason},
    {"format", read_format},
    {"limit", read_limit},
    {"after", read_after},
    {"for", read_span},
    {"dry_run", read_flag<&Request::dry_run>},
    {"content", read_flag<&Request::content>},
    {"progress", read_flag<&Request::progress>},
}};

std::unexpected<Refusal> refusal(std::string text) {
  return std::unexpected(Refusal{ExitCode::Usage, std::move(text)});
}

}  // namespace

Answer<Request> parse_request(std::string_view line) {
  boost::system::error_code error;
  const json::value parsed = json::parse({line.data(), line.size()}, error);
  if (error || !parsed.is_object()) return refusal("request is not a JSON object");
  Request request;
  const json::object& object = parsed.get_object();
  if (!object.contains("verb")) return refusal("request has no verb");
  for (const auto& [key, value] : object) {
    const std::string_view name(key.data(), key.size());
    const auto field = std::ranges::find(kFields, name, &RequestField::key);
    if (field == kFields.end()) return refusal(fmt::format("unknown field {}", name));
    if (const auto problem = field->read(request, value)) {
      return refusal(name == "verb" ? *problem : fmt::format("{}: {}", name, *problem));
    }
  }
  return request;
}

}  // namespace relay::ops
