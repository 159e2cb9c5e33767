// Under which sender a copy goes out, and where a bounce to such a sender goes back.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "relay/base/time.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/mail/message.hpp"
#include "relay/settings/settings.hpp"
#include "srs/srs.hpp"

namespace relay::forward {

/// A bounce address that stands for a stored sender: look the token up.
struct TokenLookup {
  std::string token;
};

/// Whom a bounce address stands for.
struct Origin {
  mail::Mailbox sender;
  bool weak = false;  ///< the hash proves little
};

class SenderRewrite {
 public:
  /// Without [srs] nothing is rewritten and nothing reversed. The error names the bad key.
  static std::expected<SenderRewrite, std::string> make(const settings::Settings& settings);

  bool is_srs_domain(const mail::Domain& domain) const;

  struct Rewritten {
    mail::ReversePath reverse_path;
    std::optional<mail::SenderToken> token;  ///< to be stored with the message
  };

  /// SRS address for a foreign sender: UTF-8 and overlong ones become tokens. `client` is the
  /// address whose quota a token counts against.
  Rewritten rewrite(const mail::Mailbox& sender, const std::string& client,
                    base::WallTime now) const;

  /// The address behind an SRS address of ours. Every failure is the same 550 (no. 18).
  std::expected<std::variant<Origin, TokenLookup>, Rejection> reverse(const mail::Mailbox& address,
                                                                      base::WallTime now) const;

  const srs::Rewriter* rewriter() const { return rewriter_.get(); }

  static Rejection bad_srs_address();

 private:
  std::shared_ptr<const srs::Rewriter> rewriter_;
  std::string folded_domain_;
  std::chrono::seconds token_life_{};
};

/// The prefix a client is counted by: IPv4 /24, IPv6 /64.
std::string client_prefix(const std::string& address);

}  // namespace relay::forward
