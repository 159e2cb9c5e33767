// The Sender Rewriting Scheme: makes addresses that a forwarder can use in MAIL FROM, so that SPF
// passes at the next hop and bounces find their way back. Nobody can make such an address up
// (guarantee "SRS addresses cannot be made up"). Pure: no I/O, no clock, no state; time is an
// argument. srs/README.md describes both formats field by field.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "srs/address.hpp"
#include "srs/authenticator.hpp"
#include "srs/key_ring.hpp"
#include "srs/options.hpp"

namespace srs {

enum class ForwardError {
  NullSender,  ///< never rewritten
  OwnAddress,  ///< a sender in our SRS domain: leave it alone
  TooLong,     ///< exceeds 64 octets of local part or 254 in all: use a token
  Malformed,   ///< local part or domain missing, or "=" in the domain
};

enum class ReverseError {
  NotSrs,   ///< no SRS0, SRS1 or token form
  NotOurs,  ///< another domain than our SRS domain
  Malformed,
  Forged,
  Expired,
  Future,
  BadTarget,  ///< authentic, but leads nowhere: no dotted domain, or back into our SRS domain
};

struct Reversed {
  Address address;  ///< the previous sender; empty for Family::Token and Family::Message
  Family family = Family::Strong;
  int hop = 0;       ///< 0: SRS0, 1: SRS1
  int age_days = 0;  ///< -1 (tomorrow) to max_age_days; 0 where the family has no stamp
  std::string key_id;
  /// The hash proves little: it has 16 bits, or is short and matched only without case. Accept such
  /// addresses under a tighter limit only.
  bool weak = false;
  /// Family::Token: what the caller looks up; Family::Message: the id of the message, folded.
  std::string token;
};

class Rewriter {
 public:
  Rewriter(KeyRing keys, const std::string& srs_domain, Options options = {});

  /// The address to send under. A foreign SRS0 or SRS1 is wrapped as SRS1. Of an SRS1 only hash and
  /// domain are replaced, so later hops do not make it longer.
  std::expected<Address, ForwardError> forward(const Address& sender, std::int64_t now_unix) const;

  /// The address behind one of ours. All failures take the same time: every key is tried, and
  /// compared in constant time.
  std::expected<Reversed, ReverseError> reverse(const Address& address,
                                                std::int64_t now_unix) const;

  /// An opaque address for a sender that does not fit: "srst=", tag, stamp and 16 characters of a
  /// keyed digest, the same for one sender and day. The caller stores the sender under `token`. The
  /// tag is checked before anything is looked up, so guesses cost no access to the store.
  struct Token {
    Address address;
    std::string token;
  };

  Token make_token(const Address& sender, std::int64_t now_unix) const;

  /// An address for a message whose sender cannot be answered: "srsm=", tag, stamp and the id of
  /// the message. What comes back to it has no recipient, but the id finds the message in the log.
  /// `id`: at most 26 letters and digits.
  Address make_message_address(std::string_view id, std::int64_t now_unix) const;

  /// Whether the tag of the address could be found by trying: it is shorter than the tags we make,
  /// and a usable key belongs to a scheme with such tags. Does not say whether the tag is right.
  bool is_guessable(const Address& address, std::int64_t now_unix) const;

  /// The id of a key for which the address has a right classic tag, whether or not that key accepts
  /// such tags.
  std::optional<std::string> classic_key_of(const Address& address, std::int64_t now_unix) const;

  /// Keyed digest of an address, for logs that must not show the address.
  std::string digest(const Address& address) const;

  const std::string& domain() const { return domain_; }

  const Options& options() const { return options_; }

 private:
  Address wrapped(const Address& sender, std::int64_t now_unix) const;
  Address wrapped_again(std::string_view host, std::string_view rest, std::int64_t now_unix) const;
  std::expected<int, ReverseError> checked_age(const Verified& verified,
                                               std::int64_t now_unix) const;
  std::expected<Reversed, ReverseError> reverse_token(Family family, std::string_view rest,
                                                      std::int64_t now_unix) const;
  std::expected<Reversed, ReverseError> reverse_srs0(std::string_view rest,
                                                     std::int64_t now_unix) const;
  std::expected<Reversed, ReverseError> reverse_srs1(std::string_view rest,
                                                     std::int64_t now_unix) const;
  std::expected<Reversed, ReverseError> reverse_once(const Address& address,
                                                     std::int64_t now_unix) const;

  std::string domain_;
  Options options_;
  Authenticator authenticator_;
};

}  // namespace srs
