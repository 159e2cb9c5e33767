#include "relay/auth/arc/tags.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "relay/auth/dkim/base64.hpp"
#include "relay/auth/dkim/tag_list.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"

namespace relay::auth::arc {

namespace {

using Tags = std::vector<dkim::Tag>;
using Problem = std::unexpected<std::string>;

Problem missing(std::string_view name) { return Problem(std::string(name) + "= is missing"); }

Problem bad(std::string_view name) { return Problem("bad " + std::string(name) + "="); }

/// Decimal digits, at most `max_digits`.
template <class T>
std::optional<T> number(std::string_view text, std::size_t max_digits) {
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  if (!std::ranges::all_of(text, base::is_digit)) return std::nullopt;
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The name, folded, if it can be looked up in the DNS.
std::optional<std::string> dns_name(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  const auto name = mail::Domain::parse(*text);
  if (!name || name->is_literal()) return std::nullopt;
  return name->folded();
}

/// t= is not used, but must be a number if present.
bool has_sound_time(const Tags& tags) {
  const auto time = dkim::find_tag(tags, "t");
  return !time || number<std::int64_t>(*time, 12);
}

std::expected<SignedBy, std::string> signed_by(const Tags& tags) {
  const auto algorithm = dkim::find_tag(tags, "a");
  if (!algorithm) return missing("a");
  const auto type = dkim::key_type_of(*algorithm);
  if (!type) {
    const bool historic = *algorithm == dkim::kHistoricAlgorithm;
    return Problem(historic ? "a= is rsa-sha1 (RFC 8301)" : "unknown a=");
  }
  auto domain = dns_name(dkim::find_tag(tags, "d"));
  if (!domain) return bad("d");
  auto selector = dns_name(dkim::find_tag(tags, "s"));
  if (!selector) return bad("s");
  auto signature = dkim::decode_base64(dkim::find_tag(tags, "b").value_or(""));
  if (!signature) return bad("b");
  if (!has_sound_time(tags)) return bad("t");
  return SignedBy{*type, std::move(*domain), std::move(*selector), std::move(*signature)};
}

std::optional<dkim::Canon> canon_of(std::string_view text) {
  if (text == "simple") return dkim::Canon::Simple;
  if (text == "relaxed") return dkim::Canon::Relaxed;
  return std::nullopt;
}

/// c=: header "/" body; the default of both is simple (RFC 6376 §3.5).
bool read_canon(const Tags& tags, MessageSignature& signature) {
  const auto text = dkim::find_tag(tags, "c");
  if (!text) return true;
  const auto parts = dkim::split_value(*text, '/');
  const auto header = canon_of(parts.front());
  const auto body = parts.size() == 2 ? canon_of(parts.back()) : dkim::Canon::Simple;
  if (parts.size() > 2 || !header || !body) return false;
  signature.header = *header;
  signature.body = *body;
  return true;
}

/// h=: field names; empty ones are ignored, since §4.1.2 requires no particular name. It must not
/// name ARC-Seal, which is made later.
bool read_names(std::string_view text, MessageSignature& signature) {
  for (const std::string_view name : dkim::split_value(text, ':')) {
    if (base::equal_ignoring_case(name, "ARC-Seal")) return false;
    if (!name.empty()) signature.names.emplace_back(name);
  }
  return true;
}

bool read_limits(const Tags& tags, MessageSignature& signature) {
  if (const auto length = dkim::find_tag(tags, "l")) {
    signature.length = number<std::uint64_t>(*length, 19);
    if (!signature.length) return false;
  }
  if (const auto expiry = dkim::find_tag(tags, "x")) {
    signature.expiry = number<std::int64_t>(*expiry, 12);
    if (!signature.expiry) return false;
  }
  return true;
}

std::string_view skip_white(std::string_view text) {
  while (!text.empty() && base::is_white(text.front())) text.remove_prefix(1);
  return text;
}

/// Skips comments and white space (RFC 5322 §3.2.2).
std::string_view skip_cfws(std::string_view text) {
  std::size_t depth = 0;
  while (!text.empty()) {
    const char c = text.front();
    if (depth == 0 && c != '(' && !base::is_white(c)) break;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    text.remove_prefix(c == '\\' && text.size() > 1 ? 2 : 1);
  }
  return text;
}

}  // namespace

std::string_view name_of(ChainStatus status) {
  static constexpr std::array<std::string_view, 3> kNames = {"none", "pass", "fail"};
  return kNames.at(static_cast<std::size_t>(status));
}

std::expected<MessageSignature, std::string> parse_message_signature(std::string_view value) {
  const auto tags = dkim::parse_tag_list(value);
  if (!tags) return Problem(std::string(dkim::describe(tags.error())));
  auto by = signed_by(*tags);
  if (!by) return Problem(by.error());
  MessageSignature signature{.by = std::move(*by)};
  auto body_hash = dkim::decode_base64(dkim::find_tag(*tags, "bh").value_or(""));
  if (!body_hash) return bad("bh");
  signature.body_hash = std::move(*body_hash);
  const auto names = dkim::find_tag(*tags, "h");
  if (!names) return missing("h");
  if (!read_names(*names, signature)) return Problem("h= names ARC-Seal");
  if (!read_canon(*tags, signature)) return bad("c");
  if (!read_limits(*tags, signature)) return Problem("bad l= or x=");
  return signature;
}

std::expected<Seal, std::string> parse_seal(std::string_view value) {
  const auto tags = dkim::parse_tag_list(value);
  if (!tags) return Problem(std::string(dkim::describe(tags.error())));
  if (dkim::find_tag(*tags, "h")) return Problem("seal has h=");  // §4.1.3
  auto by = signed_by(*tags);
  if (!by) return Problem(by.error());
  const auto status = status_of(value);
  if (!status) return bad("cv");
  return Seal{std::move(*by), *status};
}

std::optional<unsigned> instance_of_tags(std::string_view value) {
  const auto tags = dkim::parse_tag_list(value);
  if (!tags) return std::nullopt;
  return number<unsigned>(dkim::find_tag(*tags, "i").value_or(""), 3);
}

std::optional<NumberedResults> numbered_results(std::string_view value) {
  value = skip_cfws(value);
  if (!value.starts_with('i')) return std::nullopt;
  value = skip_white(value.substr(1));
  if (!value.starts_with('=')) return std::nullopt;
  value = skip_white(value.substr(1));
  const auto end = std::ranges::find_if_not(value, base::is_digit) - value.begin();
  const auto digits = value.substr(0, static_cast<std::size_t>(end));
  value = skip_cfws(value.substr(digits.size()));
  const auto instance = number<unsigned>(digits, 3);
  if (!instance || !value.starts_with(';')) return std::nullopt;
  return NumberedResults{*instance, value.substr(1)};
}

std::optional<unsigned> instance_of_results(std::string_view value) {
  const auto read = numbered_results(value);
  if (!read) return std::nullopt;
  return read->instance;
}

std::optional<ChainStatus> status_of(std::string_view seal_value) {
  const auto tags = dkim::parse_tag_list(seal_value);
  if (!tags) return std::nullopt;
  const auto text = dkim::find_tag(*tags, "cv").value_or("");
  for (const auto status : {ChainStatus::None, ChainStatus::Pass, ChainStatus::Fail}) {
    if (text == name_of(status)) return status;  // tag values are case-sensitive (RFC 6376 §3.2)
  }
  return std::nullopt;
}

}  // namespace relay::auth::arc
