// Under which sender a copy goes out, and where a bounce to such a sender goes back.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "relay/base/time.hpp"
#include "relay/forward/identities.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/mail/message.hpp"
#include "relay/settings/settings.hpp"
#include "srs/srs.hpp"

namespace relay::forward {

/// A bounce address that stands for a stored sender: look the token up.
struct TokenLookup {
  std::string token;
};

/// A bounce address of a message whose sender nobody can answer: it leads to nobody.
struct NobodyBehind {
  std::string message;  ///< the id of that message
};

/// Whom a bounce address stands for.
struct Origin {
  mail::Mailbox sender;
  bool weak = false;       ///< the hash proves little
  bool guessable = false;  ///< its tag could be found by trying (srs::Rewriter::is_guessable)
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

  /// What a sender is rewritten for.
  struct Occasion {
    const mail::MessageId& message;
    const std::string& client;  ///< IP address
    bool is_proven = false;     ///< the sender is whom he says
    bool is_doubtful = false;   ///< the author is not known to be whom he says
    base::WallTime now;
  };

  /// SRS address for a foreign sender: UTF-8 and overlong ones become tokens, which count against
  /// the quota of a proven sender's domain, or of the client's network. One whom nobody can answer
  /// gets the address of the message (unanswerable()).
  Rewritten rewrite(const mail::Mailbox& sender, const Occasion& occasion) const;

  /// The address for a message whose sender nobody can answer, or may not be stored.
  mail::ReversePath unanswerable(const Occasion& occasion) const;

  /// The address behind an SRS address of ours. Every failure is the same 550; a wrong tag is told
  /// apart by Rejection::bad_bounce_address alone.
  std::expected<std::variant<Origin, TokenLookup, NobodyBehind>, Rejection> reverse(
      const mail::Mailbox& address, base::WallTime now) const;

  const srs::Rewriter* rewriter() const { return rewriter_.get(); }

  /// Which makes the addresses of that domain; of any other, the first. Null: there is no [srs].
  const srs::Rewriter* rewriter_of(const std::string& folded_domain) const;

  /// The one reply; `guessable`: who hears something else instead learns nothing of the tag.
  static Rejection bad_srs_address(bool forged = false, bool guessable = false);

 private:
  std::shared_ptr<const srs::Rewriter> rewriter_;
  std::shared_ptr<const srs::Rewriter> doubtful_;  ///< of [risk] srs_domain; else the same
  std::string folded_domain_;
  std::string doubtful_domain_;
  std::chrono::seconds token_life_{};
  std::int64_t stored_per_domain_ = 0;
  std::int64_t stored_per_client_ = 0;
};

/// Whether an answer to the sender could find its way: not to an address literal, not to a domain
/// without a dot, and not to an address that was made by SenderRewrite::unanswerable().
bool is_answerable(const mail::Mailbox& sender, const Identities& identities);

}  // namespace relay::forward
