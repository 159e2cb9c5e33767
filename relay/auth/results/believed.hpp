// What a gateway of the operator's own has found about a message, by its Authentication-Results.
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/authentication.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::results {

/// SPF of one identity.
struct BelievedSpf {
  mail::SpfResult result = mail::SpfResult::None;
  std::string domain;  ///< folded
};

struct Believed {
  std::optional<BelievedSpf> mail_from;
  std::optional<BelievedSpf> helo;
  /// Folded domains of authors for whom DMARC passed, and of whom nothing else is said.
  std::vector<std::string> passed;
};

/// Of the topmost `fields` fields of a header, which are the gateway's own: those with its
/// authserv-id, read leniently. The first result of a kind counts.
Believed believed_results(const mail::Header& header, std::size_t fields,
                          std::string_view authserv_id);

}  // namespace relay::auth::results
