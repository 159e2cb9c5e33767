// What a trusted gateway has found out about a message, read from its Authentication-Results. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/authentication.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::results {

/// A gateway's SPF result for one identity.
struct BelievedSpf {
  mail::SpfResult result = mail::SpfResult::None;
  std::string domain;  ///< folded
};

struct Believed {
  std::optional<BelievedSpf> mail_from;
  std::optional<BelievedSpf> helo;
  /// Folded author domains for which DMARC passed, and for which no other result is given.
  std::vector<std::string> passed;
};

/// Reads the fields of the gateway `authserv_id` among the topmost `fields` header fields, which
/// the gateway has added itself; leniently. Of several SPF results for one identity the first
/// counts.
Believed believed_results(const mail::Header& header, std::size_t fields,
                          std::string_view authserv_id);

}  // namespace relay::auth::results
