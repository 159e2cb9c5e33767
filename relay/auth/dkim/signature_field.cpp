#include "relay/auth/dkim/signature_field.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "relay/auth/dkim/base64.hpp"
#include "relay/base/sha256.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"

namespace relay::auth::dkim {

namespace {

constexpr std::size_t kSignatureHeadLetters = 8;  // RFC 6008 §3
constexpr std::size_t kMaxTimeDigits = 12;        // §3.5, t= and x=
constexpr std::size_t kMaxLengthDigits = 76;      // §3.5, l=
constexpr std::size_t kMaxIdentityOctets = 320;   // a local part, "@" and a domain
constexpr std::size_t kMaxAlgorithmOctets = 40;

using Failure = std::optional<SignatureError>;

/// A domain-name of §3.5: at least two labels.
std::optional<std::string> domain_name(std::string_view text) {
  const auto domain = mail::Domain::parse(text);
  if (!domain || !domain->is_dotted()) return std::nullopt;
  return domain->folded();
}

std::optional<std::string> selector_name(std::string_view text) {
  const auto name = mail::Domain::parse(text);
  if (!name || name->is_literal()) return std::nullopt;
  return name->folded();
}

/// The domain after the last "@" of i=; a quoted local part may contain an "@" itself.
std::optional<std::string> identity_domain(std::string_view identity) {
  const std::size_t at = identity.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  return domain_name(identity.substr(at + 1));
}

bool is_same_or_below(std::string_view name, std::string_view parent) {
  if (name == parent) return true;
  return name.size() > parent.size() && name.ends_with(parent) &&
         name[name.size() - parent.size() - 1] == '.';
}

/// Digits only; a number too large for the type becomes the largest value of the type.
std::optional<std::uint64_t> number(std::string_view text, std::size_t max_digits) {
  if (text.empty() || text.size() > max_digits || !std::ranges::all_of(text, base::is_digit)) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() ? value : std::numeric_limits<std::uint64_t>::max();
}

std::optional<Canon> canon_of(std::string_view name) {
  if (name == "simple") return Canon::Simple;
  if (name == "relaxed") return Canon::Relaxed;
  return std::nullopt;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c <= '~' && c != ':' && c != ';';
  });
}

Failure read_version(const std::vector<Tag>& tags) {
  for (const char* name : {"v", "a", "b", "bh", "d", "h", "s"}) {
    if (!find_tag(tags, name)) return SignatureError::MissingTag;
  }
  if (find_tag(tags, "v") != "1") return SignatureError::UnknownVersion;
  return std::nullopt;
}

Failure read_algorithm(const std::vector<Tag>& tags, SignatureField& field) {
  const std::string_view name = *find_tag(tags, "a");
  if (name == kHistoricAlgorithm) return SignatureError::HistoricAlgorithm;
  const auto type = key_type_of(name);
  if (!type) return SignatureError::UnknownAlgorithm;
  field.key_type = *type;
  return std::nullopt;
}

Failure read_canonicalization(const std::vector<Tag>& tags, SignatureField& field) {
  const std::string_view names = find_tag(tags, "c").value_or("simple/simple");
  const std::size_t slash = names.find('/');
  const auto header = canon_of(names.substr(0, slash));
  // If c= has only one form, the body form is simple (§3.5).
  const auto body =
      slash == std::string_view::npos ? Canon::Simple : canon_of(names.substr(slash + 1));
  if (!header || !body) return SignatureError::BadCanonicalization;
  field.header_canon = *header;
  field.body_canon = *body;
  return std::nullopt;
}

Failure read_signer(const std::vector<Tag>& tags, SignatureField& field) {
  auto domain = domain_name(*find_tag(tags, "d"));
  if (!domain) return SignatureError::BadDomain;
  auto selector = selector_name(*find_tag(tags, "s"));
  if (!selector) return SignatureError::BadSelector;
  field.domain = std::move(*domain);
  field.selector = std::move(*selector);
  field.identity_domain = field.domain;
  const auto identity = find_tag(tags, "i");
  if (!identity) return std::nullopt;
  auto below = identity_domain(*identity);
  if (!below || identity->size() > kMaxIdentityOctets) return SignatureError::BadIdentity;
  if (!is_same_or_below(*below, field.domain)) return SignatureError::IdentityOutside;
  field.identity_domain = std::move(*below);
  return std::nullopt;
}

Failure read_signed_names(const std::vector<Tag>& tags, SignatureField& field) {
  for (const std::string_view name : split_value(*find_tag(tags, "h"), ':')) {
    if (name.empty()) continue;  // an empty name signs nothing, and h= itself is signed
    if (!is_field_name(name)) return SignatureError::BadSignedNames;
    field.signed_names.emplace_back(name);
  }
  const bool has_author = std::ranges::any_of(field.signed_names, [](const std::string& name) {
    return base::equal_ignoring_case(name, "From");
  });
  if (!has_author) return SignatureError::FromNotSigned;
  return std::nullopt;
}

Failure read_numbers(const std::vector<Tag>& tags, SignatureField& field) {
  if (const auto length = find_tag(tags, "l")) {
    field.length = number(*length, kMaxLengthDigits);
    if (!field.length) return SignatureError::BadNumber;
  }
  const auto time_of = [&](const char* name, std::optional<std::int64_t>& time) {
    const auto text = find_tag(tags, name);
    if (!text) return true;
    const auto seconds = number(*text, kMaxTimeDigits);
    if (seconds) time = static_cast<std::int64_t>(*seconds);
    return seconds.has_value();
  };
  if (!time_of("t", field.signed_at) || !time_of("x", field.expires_at)) {
    return SignatureError::BadNumber;
  }
  const bool in_order =
      !field.signed_at || !field.expires_at || *field.signed_at < *field.expires_at;
  if (!in_order) return SignatureError::ExpiresTooSoon;
  return std::nullopt;
}

Failure read_query(const std::vector<Tag>& tags, SignatureField&) {
  const auto methods = find_tag(tags, "q");
  if (!methods || std::ranges::count(split_value(*methods, ':'), "dns/txt") > 0) {
    return std::nullopt;
  }
  return SignatureError::UnknownQuery;
}

Failure read_hashes(const std::vector<Tag>& tags, SignatureField& field) {
  auto signature = decode_base64(*find_tag(tags, "b"));
  auto body_hash = decode_base64(*find_tag(tags, "bh"));
  if (!signature || !body_hash) return SignatureError::BadBase64;
  if (body_hash->size() != base::kSha256Octets) return SignatureError::BadBodyHash;
  field.signature = std::move(*signature);
  field.body_hash = std::move(*body_hash);
  return std::nullopt;
}

std::string text_or_nothing(const std::vector<Tag>& tags, const char* name, std::size_t limit) {
  const std::string_view text = find_tag(tags, name).value_or("");
  return text.size() <= limit ? without_spaces(text) : std::string();
}

std::string algorithm_name(const std::vector<Tag>& tags) {
  std::string name = text_or_nothing(tags, "a", kMaxAlgorithmOctets);
  const bool plain = std::ranges::all_of(
      name, [](char c) { return base::is_alpha(c) || base::is_digit(c) || c == '-'; });
  return plain ? name : std::string();
}

std::string signature_head(const std::vector<Tag>& tags) {
  const std::string_view signature = find_tag(tags, "b").value_or("");
  if (!decode_base64(signature)) return {};
  return without_spaces(signature).substr(0, kSignatureHeadLetters);
}

}  // namespace

std::string_view describe(SignatureError error) {
  switch (error) {
    case SignatureError::BadTagList:
      return "signature is no tag list";
    case SignatureError::MissingTag:
      return "signature lacks a tag";
    case SignatureError::UnknownVersion:
      return "signature of an unknown version";
    case SignatureError::UnknownAlgorithm:
      return "unknown signature algorithm";
    case SignatureError::HistoricAlgorithm:
      return "rsa-sha1 proves nothing";
    case SignatureError::BadBase64:
      return "signature or body hash is not base64";
    case SignatureError::BadBodyHash:
      return "body hash of a wrong length";
    case SignatureError::BadCanonicalization:
      return "unknown canonicalization";
    case SignatureError::BadDomain:
      return "d= is no domain";
    case SignatureError::BadSelector:
      return "s= is no selector";
    case SignatureError::BadSignedNames:
      return "h= is no list of field names";
    case SignatureError::FromNotSigned:
      return "From is not signed";
    case SignatureError::BadIdentity:
      return "i= is no identity";
    case SignatureError::IdentityOutside:
      return "i= is outside d=";
    case SignatureError::BadNumber:
      return "l=, t= or x= is no number";
    case SignatureError::ExpiresTooSoon:
      return "x= is not after t=";
    case SignatureError::UnknownQuery:
      return "unknown way to fetch the key";
  }
  return "bad signature";
}

std::expected<SignatureField, SignatureError> parse_signature_field(std::string_view value) {
  const auto tags = parse_tag_list(value);
  if (!tags) return std::unexpected(SignatureError::BadTagList);
  if (const auto failure = read_version(*tags)) return std::unexpected(*failure);
  SignatureField field;
  for (const auto read : {read_algorithm, read_hashes, read_canonicalization, read_signer,
                          read_signed_names, read_numbers, read_query}) {
    if (const auto failure = read(*tags, field)) return std::unexpected(*failure);
  }
  return field;
}

mail::DkimVerdict describe_field(std::string_view value) {
  mail::DkimVerdict verdict;
  const auto tags = parse_tag_list(value);
  if (!tags) return verdict;
  verdict.domain = domain_name(find_tag(*tags, "d").value_or("")).value_or("");
  verdict.selector = selector_name(find_tag(*tags, "s").value_or("")).value_or("");
  verdict.identity = text_or_nothing(*tags, "i", kMaxIdentityOctets);
  if (!identity_domain(verdict.identity)) verdict.identity.clear();
  if (!find_tag(*tags, "i") && !verdict.domain.empty()) verdict.identity = "@" + verdict.domain;
  verdict.algorithm = algorithm_name(*tags);
  verdict.signature_head = signature_head(*tags);
  return verdict;
}

}  // namespace relay::auth::dkim
