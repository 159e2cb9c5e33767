// Parameters of MAIL and RCPT (RFC 5321 §4.1.2 esmtp-param). SIZE (RFC 1870), BODY (RFC 6152) and
// SMTPUTF8 (RFC 6531) are accepted; nothing that we do not announce is.
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
  std::optional<std::uint64_t> size;  ///< saturates: 20 digits may exceed 64 bits
  mail::BodyType body = mail::BodyType::SevenBit;
  bool smtputf8 = false;
  bool any = false;  ///< at least one was given
};

struct ParameterError {
  bool unknown = false;   ///< well-formed, but not supported: 555; otherwise malformed: 501
  std::string_view text;  ///< a literal: what is wrong
};

/// Parses what follows the path, leading spaces included.
std::expected<MailParameters, ParameterError> parse_mail_parameters(std::string_view text);

/// RCPT takes no parameter: DSN (RFC 3461) is not announced. nullopt when `text` holds none.
std::optional<ParameterError> refuse_any_parameter(std::string_view text);

}  // namespace relay::smtp
