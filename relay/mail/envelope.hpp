// What MAIL and RCPT said: the SMTP envelope (RFC 5321 §2.3.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/ulid.hpp"
#include "relay/mail/address.hpp"

namespace relay::mail {

using MessageId = base::Ulid;

enum class BodyType : std::uint8_t { SevenBit, EightBitMime };  // RFC 6152

struct Envelope {
  ReversePath reverse_path;
  std::vector<ForwardPath> forward_paths;
  BodyType body = BodyType::SevenBit;
  bool smtputf8 = false;            ///< MAIL carried SMTPUTF8 (RFC 6531 §3.4)
  std::uint64_t declared_size = 0;  ///< SIZE= of MAIL in octets (RFC 1870); 0: not given
};

/// The client of an SMTP session, as the trace header and the log name it.
struct Client {
  std::string address;  ///< textual IP, no brackets; IPv4-mapped IPv6 shown as IPv4
  std::uint16_t port = 0;
  std::string helo;  ///< name given in HELO or EHLO, any printable ASCII; "" before that
  bool esmtp = false;
  std::string tls_version;  ///< "TLSv1.3"; "" without TLS
  std::string tls_cipher;
};

}  // namespace relay::mail
