// The Sender Rewriting Scheme: makes addresses that a forwarder can use in MAIL FROM, so that SPF
// passes at the next hop and bounces find their way back. Pure: no I/O, no clock, no state; time is
// an argument. srs/README.md describes both formats field by field.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "srs/key_ring.hpp"

namespace srs {

inline constexpr std::size_t kMaxLocalPart = 64;  // RFC 5321 §4.5.3.1.1, octets
inline constexpr std::size_t kMaxAddress = 254;   // RFC 5321 §4.5.3.1.3, without brackets

/// local_part is decoded: `"a b"` as `a b`. to_string() quotes it where needed.
struct Address {
  std::string local_part;
  std::string domain;

  friend bool operator==(const Address&, const Address&) = default;
};

/// Splits at the last "@" and unquotes the local part. nullopt when either part is missing.
std::optional<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);  ///< quoted only where RFC 5321 needs it

enum class Format { Strong, Classic };

struct Options {
  Format format = Format::Strong;
  char separator = '=';                 ///< after the tag SRS0 or SRS1: '=', '+' or '-'
  std::size_t strong_hash_length = 8;   ///< base32 characters, at least 8 (40 bits)
  std::size_t classic_hash_length = 4;  ///< base64 characters of hashes made in classic format
  std::size_t classic_hash_min = 4;     ///< shortest classic hash accepted; at most the length
  int max_age_days = 21;
  bool always_rewrite = false;  ///< wrap senders of our own SRS domain, too
  bool unwrap_own = true;       ///< an SRS1 of ours around an SRS0 of ours is reversed in one step
};

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

enum class Family { Strong, Classic, Token, Message, Exim, SrsJs, SenderRewritingScheme };

std::string_view describe(ForwardError error);
std::string_view describe(ReverseError error);
std::string_view describe(Family family);

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

/// What `srs explain` says about an address.
struct Explanation {
  bool is_srs = false;
  int hop = 0;
  std::optional<Family> family;
  std::optional<int> age_days;
  std::string key_id;
  std::string verdict;  ///< "valid", "forged", "expired", …
  std::string recovered;
  std::string reason;  ///< also says when a classic tag is right, but its key accepts none
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

  Explanation explain(const Address& address, std::int64_t now_unix) const;

  /// Keyed digest of an address, for logs that must not show the address.
  std::string digest(const Address& address) const;

  const std::string& domain() const { return domain_; }

  const Options& options() const { return options_; }

 private:
  struct Question {
    std::string_view kind;  ///< "SRS0", "SRS1", "SRST" or "SRSM"
    std::string_view hash;
    std::vector<std::string_view> fields;  ///< the stamp comes first, except for SRS1
    std::int64_t now_unix;
  };

  struct Verified {
    Family family;
    std::string key_id;
    bool weak;
    std::string stamp;  ///< "" when the family has none
  };

  std::string strong_hash(const Key& key, std::string_view kind,
                          const std::vector<std::string_view>& fields) const;
  Address wrapped(const Address& sender, std::int64_t now_unix) const;
  Address wrapped_again(std::string_view host, std::string_view rest, std::int64_t now_unix) const;
  std::optional<Verified> match_strong(const Key& key, const Question& question) const;
  bool takes_classic(const Key& key, std::int64_t now_unix) const;
  std::optional<Verified> match_classic(const Key& key, const Question& question) const;
  std::optional<Verified> match(const Key& key, const Question& question) const;
  std::optional<Verified> verify(const Question& question) const;
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
  /// The id of a key for which the address has a right classic tag, whether or not it accepts such
  /// tags.
  std::optional<std::string> classic_key_of(const Address& address, std::int64_t now_unix) const;

  KeyRing keys_;
  std::string domain_;
  Options options_;
};

}  // namespace srs
