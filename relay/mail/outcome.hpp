// What happened when a copy was tried.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/base/time.hpp"
#include "relay/mail/status.hpp"
#include "relay/mail/tls_demand.hpp"

namespace relay::mail {

/// The step of a delivery at which its result was decided.
enum class Stage : std::uint8_t {
  Policy,  ///< decided by us: loop, expiry, operator
  Dns,
  Connect,
  Banner,
  Ehlo,
  StartTls,
  MailFrom,
  RcptTo,
  Data,
  EndOfData,
};

std::string_view name(Stage stage);  ///< "dns", "connect", …, "end-of-data"

struct DeliveryAttempt {
  base::WallTime at;
  std::string host;     ///< name of the MX or smarthost; "" when none was reached
  std::string address;  ///< textual IP
  std::uint16_t port = 0;
  std::string tls;                         ///< "TLSv1.3", or "" in the clear
  TlsLevel tls_policy = TlsLevel::May;     ///< what was demanded of the connection
  TlsResult tls_result = TlsResult::None;  ///< why it was not encrypted as demanded
  Stage stage = Stage::Policy;
  int code = 0;           ///< SMTP reply code, 0 when the remote said nothing
  EnhancedStatus status;  ///< of the same reply, or our own
  /// The reply's lines as they followed its code, enhanced codes included, joined with '\n'; or a
  /// reason of our own. At most 1,024 octets are kept. reply_text.hpp takes it apart.
  std::string text;
};

enum class OutcomeKind : std::uint8_t { Delivered, Deferred, Failed };

std::string_view name(OutcomeKind kind);

struct Outcome {
  OutcomeKind kind = OutcomeKind::Deferred;
  DeliveryAttempt attempt;
  bool possible_duplicate = false;  ///< the dot was sent and its reply never read
};

}  // namespace relay::mail
