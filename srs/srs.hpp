// The Sender Rewriting Scheme: addresses a forwarder can put into MAIL FROM so that SPF passes at
// the next hop and a bounce finds its way back. Pure: no I/O, no clock, no state; time is an
// argument. srs/README.md has both formats field by field.
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

/// local_part is decoded: `"a b"` as `a b`. Whoever prints the address quotes it where needed.
struct Address {
  std::string local_part;
  std::string domain;

  friend bool operator==(const Address&, const Address&) = default;
};

/// Splits at the last "@" and unquotes the local part. nullopt without both parts.
std::optional<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);  ///< quoted only where RFC 5321 needs it

enum class Format { Strong, Classic };

struct Options {
  Format format = Format::Strong;
  char separator = '=';                 ///< behind the tag SRS0/SRS1: '=', '+' or '-'
  std::size_t strong_hash_length = 8;   ///< base32 characters, at least 8 (40 bits)
  std::size_t classic_hash_length = 4;  ///< base64 characters made in classic format
  std::size_t classic_hash_min = 4;     ///< shortest classic hash accepted; at most the length
  int max_age_days = 21;
  bool always_rewrite = false;  ///< wrap senders of our own SRS domain as well
  bool unwrap_own = true;       ///< an SRS1 around an SRS0 of ours is undone at once (no. 20)
};

enum class ForwardError {
  NullSender,  ///< never rewritten
  OwnAddress,  ///< a sender in our SRS domain: leave it alone
  TooLong,     ///< does not fit 64/254 octets: use a token
  Malformed,   ///< no local part, no domain
};

enum class ReverseError {
  NotSrs,   ///< no SRS0, SRS1 or token form
  NotOurs,  ///< another domain than our SRS domain
  Malformed,
  Forged,
  Expired,
  Future,
  BadTarget,  ///< authentic, but leads nowhere: dotless, literal, or back into our SRS domain
};

enum class Family { Strong, Classic, Token, Message, Exim, SrsJs, SenderRewritingScheme };

std::string_view describe(ForwardError error);
std::string_view describe(ReverseError error);
std::string_view describe(Family family);

struct Reversed {
  Address address;  ///< the previous sender; empty for Family::Token and Family::Message
  Family family = Family::Strong;
  int hop = 0;       ///< 0: SRS0, 1: SRS1
  int age_days = 0;  ///< -1 … max_age_days; 0 where the family has no stamp
  std::string key_id;
  /// The hash proves little: 16 bits, or a short one that matched only without case. Such
  /// addresses belong under a tighter limit.
  bool weak = false;
  /// For Family::Token what the caller looks up, for Family::Message the id of the message, folded.
  std::string token;
};

/// What `srs explain` says of an address.
struct Explanation {
  bool is_srs = false;
  int hop = 0;
  std::optional<Family> family;
  std::optional<int> age_days;
  std::string key_id;
  std::string verdict;  ///< "valid", "forged", "expired", …
  std::string recovered;
  std::string reason;  ///< of a classic tag whose key takes none, that it is the right one
};

class Rewriter {
 public:
  Rewriter(KeyRing keys, const std::string& srs_domain, Options options = {});

  /// The address to send under. A foreign SRS0 or SRS1 is wrapped as SRS1; a third hop replaces the
  /// wrap and keeps its length.
  std::expected<Address, ForwardError> forward(const Address& sender, std::int64_t now_unix) const;

  /// The address behind one of ours. All failures cost the same: every accepted key is tried, and
  /// compared in constant time.
  std::expected<Reversed, ReverseError> reverse(const Address& address,
                                                std::int64_t now_unix) const;

  /// An opaque address for a sender that does not fit: "srst=" tag, stamp and 16 characters of a
  /// keyed digest, the same for one sender and day; the caller stores the sender under `token`.
  /// The tag is checked before anything is looked up, so guesses cost no database access.
  struct Token {
    Address address;
    std::string token;
  };

  Token make_token(const Address& sender, std::int64_t now_unix) const;

  /// An address for a message whose sender nobody can answer: "srsm=" tag, stamp and the message's
  /// id. What comes back to it leads to nobody; who reads the id finds the message in the log.
  /// `id`: at most 26 letters and digits.
  Address make_message_address(std::string_view id, std::int64_t now_unix) const;

  /// Whether the tag of the address could be found by trying: it is shorter than those we make, and
  /// there is a key of a scheme that has such tags. Says nothing of whether it is the right one.
  bool is_guessable(const Address& address, std::int64_t now_unix) const;

  Explanation explain(const Address& address, std::int64_t now_unix) const;

  /// Keyed digest of an address, for logs that must not show it.
  std::string digest(const Address& address) const;

  const std::string& domain() const { return domain_; }

  const Options& options() const { return options_; }

 private:
  struct Question {
    std::string_view kind;  ///< "SRS0", "SRS1", "SRST" or "SRSM"
    std::string_view hash;
    std::vector<std::string_view> fields;  ///< begins with the stamp, but for SRS1
    std::int64_t now_unix;
  };

  struct Verified {
    Family family;
    std::string key_id;
    bool weak;
    std::string stamp;  ///< "" where the family has none
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
  /// The key whose classic tag the address would be, if that key took any.
  std::optional<std::string> classic_key_of(const Address& address, std::int64_t now_unix) const;

  KeyRing keys_;
  std::string domain_;
  Options options_;
};

}  // namespace srs
