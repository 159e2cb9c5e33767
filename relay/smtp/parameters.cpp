#include "relay/smtp/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "relay/base/text.hpp"

namespace relay::smtp {

namespace {

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;
};

bool is_keyword(std::string_view text) {
  const auto alphanumeric = [](char c) { return base::is_alpha(c) || base::is_digit(c); };
  return !text.empty() && text.size() <= kMaxKeywordOctets && alphanumeric(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-'; });
}

bool is_value(std::string_view text) {
  return !text.empty() && text.size() <= kMaxValueOctets &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != '='; });
}

/// Removes the next parameter from the front of `text`; nullopt at its end.
std::expected<std::optional<Parameter>, ParameterError> next_parameter(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;

  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  const std::size_t equals = word.find('=');
  Parameter parameter{word.substr(0, equals), std::nullopt};
  if (equals != std::string_view::npos) parameter.value = word.substr(equals + 1);
  if (!is_keyword(parameter.keyword) || (parameter.value && !is_value(*parameter.value))) {
    return std::unexpected(ParameterError{false, "Malformed parameter"});
  }
  return parameter;
}

std::optional<std::uint64_t> parse_size(std::optional<std::string_view> value) {
  constexpr std::size_t kMaxDigits = 20;  // RFC 1870 §3
  if (!value || value->size() > kMaxDigits || !std::ranges::all_of(*value, base::is_digit)) {
    return std::nullopt;
  }
  std::uint64_t octets = 0;
  const auto parsed = std::from_chars(value->data(), value->data() + value->size(), octets);
  if (parsed.ec == std::errc::result_out_of_range) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return octets;
}

std::optional<mail::BodyType> parse_body(std::optional<std::string_view> value) {
  if (!value) return std::nullopt;
  if (base::equal_ignoring_case(*value, "7BIT")) return mail::BodyType::SevenBit;
  if (base::equal_ignoring_case(*value, "8BITMIME")) return mail::BodyType::EightBitMime;
  return std::nullopt;
}

/// Collects parameters, and refuses one that is given twice.
class MailParameterReader {
 public:
  std::optional<ParameterError> take(const Parameter& parameter) {
    result_.any = true;
    if (base::equal_ignoring_case(parameter.keyword, "SIZE")) return take_size(parameter);
    if (base::equal_ignoring_case(parameter.keyword, "BODY")) return take_body(parameter);
    if (base::equal_ignoring_case(parameter.keyword, "SMTPUTF8")) return take_smtputf8(parameter);
    return ParameterError{true, {}};
  }

  const MailParameters& result() const { return result_; }

 private:
  static ParameterError twice() { return {false, "Parameter given twice"}; }

  std::optional<ParameterError> take_size(const Parameter& parameter) {
    if (result_.size) return twice();
    result_.size = parse_size(parameter.value);
    if (!result_.size) return ParameterError{false, "SIZE must be a number of octets"};
    return std::nullopt;
  }

  std::optional<ParameterError> take_body(const Parameter& parameter) {
    if (body_given_) return twice();
    const auto body = parse_body(parameter.value);
    if (!body) return ParameterError{false, "BODY must be 7BIT or 8BITMIME"};
    body_given_ = true;
    result_.body = *body;
    return std::nullopt;
  }

  std::optional<ParameterError> take_smtputf8(const Parameter& parameter) {
    if (result_.smtputf8) return twice();
    if (parameter.value) return ParameterError{false, "SMTPUTF8 takes no value"};
    result_.smtputf8 = true;
    return std::nullopt;
  }

  MailParameters result_;
  bool body_given_ = false;
};

}  // namespace

std::expected<MailParameters, ParameterError> parse_mail_parameters(std::string_view text) {
  MailParameterReader reader;
  for (;;) {
    const auto parameter = next_parameter(text);
    if (!parameter) return std::unexpected(parameter.error());
    if (!*parameter) return reader.result();
    if (const auto error = reader.take(**parameter)) return std::unexpected(*error);
  }
}

std::optional<ParameterError> refuse_any_parameter(std::string_view text) {
  const auto parameter = next_parameter(text);
  if (!parameter) return parameter.error();
  if (*parameter) return ParameterError{true, {}};
  return std::nullopt;
}

}  // namespace relay::smtp
