// Makes the sender that a copy leaves under, and finds the original sender for a bounce to it.
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
#include "srs/srs.hpp"

namespace relay::forward {

struct Policy;

/// A bounce address that is a token: the original sender is stored and must be looked up.
struct TokenLookup {
  std::string token;
};

/// A bounce address that was made for a message whose sender nobody can answer: no sender is behind
/// it.
struct NobodyBehind {
  std::string message;  ///< the id of that message
};

/// The original sender that a bounce address stands for.
struct Origin {
  mail::Mailbox sender;
  bool weak = false;       ///< the hash is short and proves little
  bool guessable = false;  ///< its tag could be found by trying (srs::Rewriter::is_guessable)
};

class SenderRewrite {
 public:
  /// Without [srs] nothing is rewritten or reversed. The error names the bad key.
  static std::expected<SenderRewrite, std::string> make(const Policy& policy);

  bool is_srs_domain(const mail::Domain& domain) const;

  struct Rewritten {
    mail::ReversePath reverse_path;
    std::optional<mail::SenderToken> token;  ///< to be stored with the message
  };

  /// The message for which a sender is rewritten.
  struct Occasion {
    const mail::MessageId& message;
    const std::string& client;  ///< IP address
    bool is_proven = false;     ///< the sender is authenticated
    bool is_doubtful = false;   ///< forward::is_doubtful()
    base::WallTime now;
  };

  /// Makes the SRS address for a foreign sender. A sender in UTF-8 or too long for an SRS address
  /// is stored under a token, which counts against the quota of the sender's domain if the sender
  /// is proven, else of the client's network. A sender that nobody can answer is replaced by
  /// unanswerable().
  Rewritten rewrite(const mail::Mailbox& sender, const Occasion& occasion) const;

  /// The address for a message whose sender nobody can answer or may not be stored.
  mail::ReversePath unanswerable(const Occasion& occasion) const;

  /// The sender behind an SRS address of ours. Every failure gives the same 550 reply; only
  /// Rejection::bad_bounce_address tells whether the tag was wrong.
  std::expected<std::variant<Origin, TokenLookup, NobodyBehind>, Rejection> reverse(
      const mail::Mailbox& address, base::WallTime now) const;

  const srs::Rewriter* rewriter() const { return rewriter_.get(); }

  /// The rewriter for a folded SRS domain; for any other name, that of the first SRS domain. Null
  /// without [srs].
  const srs::Rewriter* rewriter_of(const std::string& folded_domain) const;

  /// The one reply to every bad SRS address. `guessable`: the tag could be found by brute force, so
  /// the client must not learn whether it was right.
  static Rejection bad_srs_address(bool forged = false, bool guessable = false);

  /// The same for such an address in MAIL FROM, and for any other sender in an SRS domain.
  static Rejection bad_srs_sender(bool forged = false, bool guessable = false);

 private:
  std::shared_ptr<const srs::Rewriter> rewriter_;
  std::shared_ptr<const srs::Rewriter> doubtful_;  ///< of [risk] srs_domain; else rewriter_
  std::string folded_domain_;
  std::string doubtful_domain_;
  std::chrono::seconds token_life_{};
  std::int64_t stored_per_domain_ = 0;
  std::int64_t stored_per_client_ = 0;
};

/// Whether an answer to the sender could reach somebody: false for address literals, for domains
/// without a dot, and for addresses made by SenderRewrite::unanswerable().
bool is_answerable(const mail::Mailbox& sender, const Identities& identities);

}  // namespace relay::forward
