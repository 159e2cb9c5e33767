// Parameters of MAIL and RCPT (RFC 5321 §4.1.2 esmtp-param). We take SIZE (RFC 1870), BODY
// (RFC 6152) and SMTPUTF8 (RFC 6531), and nothing that we do not announce.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "relay/mail/envelope.hpp"

namespace relay::smtp {

inline constexpr std::size_t kMaxKeywordOctets = 32;
inline constexpr std::size_t kMaxValueOctets = 128;

struct MailParameters {
  std::optional<std::uint64_t> size;  ///< saturated: 20 digits may say more than 64 bits hold
  mail::BodyType body = mail::BodyType::SevenBit;
  bool smtputf8 = false;
  bool any = false;  ///< at least one was given
};

struct ParameterError {
  bool unknown = false;   ///< well-formed, but not ours: 555; otherwise malformed: 501
  std::string_view text;  ///< a literal: what is wrong
};

/// Parses what follows the path, spaces included.
std::expected<MailParameters, ParameterError> parse_mail_parameters(std::string_view text);

/// RCPT takes none: DSN is not announced (RFC 3461). nullopt when `text` is empty.
std::optional<ParameterError> refuse_any_parameter(std::string_view text);

}  // namespace relay::smtp
