// What was found out about the origin of a message: the verdicts of SPF, DKIM, DMARC, ARC and
// iprev, with the result names of RFC 8601 §2.7. Values only: relay/auth makes them, relay/forward
// decides by them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay::mail {

/// RFC 7208 §2.6.
enum class SpfResult : std::uint8_t { None, Neutral, Pass, Fail, SoftFail, TempError, PermError };

enum class SpfIdentity : std::uint8_t { Helo, MailFrom };

struct SpfVerdict {
  SpfResult result = SpfResult::None;
  SpfIdentity identity = SpfIdentity::MailFrom;
  std::string domain;     ///< folded; whose record was asked for: that of MAIL FROM or HELO
  std::string mechanism;  ///< the directive that matched, as in the record; "" when none did
  std::string problem;    ///< reason of an error; one line of our own text
  /// With PermError: a limit of our own, which no standard has, ended the evaluation. Without that
  /// limit it might have passed.
  bool unfinished = false;
};

/// RFC 8601 §2.7.1. Policy: the signature is valid, but we do not rely on it (RFC 6376 §3.9).
enum class DkimResult : std::uint8_t { None, Pass, Fail, Policy, Neutral, TempError, PermError };

/// One DKIM-Signature field.
struct DkimVerdict {
  DkimResult result = DkimResult::None;
  std::string domain;          ///< d=, folded; "" when it could not be read
  std::string selector;        ///< s=
  std::string identity;        ///< i=, or "@" d= (RFC 6376 §3.5)
  std::string algorithm;       ///< a=
  std::string signature_head;  ///< the first 8 characters of b=, white space removed (RFC 6008)
  std::uint16_t key_bits = 0;
  bool testing = false;  ///< t=y of the key: the domain wants no consequences (RFC 6376 §3.6.1)
  bool dated_ahead =
      false;            ///< t= is in the future by more than clocks differ, and by a day at most
  std::string problem;  ///< why it did not pass; one line of our own text

  /// Passed without reservation. A signature that passed with a key in testing, or dated ahead,
  /// proves nothing, but is a reason not to refuse.
  bool vouches() const { return result == DkimResult::Pass && !testing && !dated_ahead; }
};

/// RFC 8601 §2.7.2 and RFC 9989.
enum class DmarcResult : std::uint8_t { None, Pass, Fail, TempError, PermError };

enum class DmarcPolicy : std::uint8_t { None, Quarantine, Reject };

struct DmarcVerdict {
  DmarcResult result = DmarcResult::None;
  std::string from_domain;    ///< the author's domain, folded; "" unless there is exactly one
  std::string policy_domain;  ///< where the record was found; "" without one
  /// What the owner of the domain asks for mail that fails: p=, sp= or np=, one step weaker with
  /// t=y (RFC 9989). None without a record. With PermError: Reject, the strictest.
  DmarcPolicy policy = DmarcPolicy::None;
  bool testing = false;       ///< t=y
  bool spf_strict = false;    ///< aspf=s: only the author's own domain is aligned
  bool spf_aligned = false;   ///< SPF passed for an aligned domain
  bool dkim_aligned = false;  ///< a signature passed for an aligned domain
  /// A signature passed for an aligned domain, but only with reservation (DkimVerdict::vouches()):
  /// it proves nothing for DMARC, and such mail is not refused either (RFC 6376 §3.6.1).
  bool reserved_aligned = false;
  /// A limit of our own ended a check that could have passed for an aligned domain: the owner's
  /// policy is not meant for a failure of this kind.
  bool unfinished = false;
  std::string problem;                    ///< reason of an error or failure; one line of our own
  std::vector<std::string> several_from;  ///< folded, when From names several domains; else empty
  /// From names no domain at all ("MAILER-DAEMON", "<>"), or no field says who wrote: nothing can
  /// be aligned with that, and no domain's policy applies.
  bool names_nobody = false;
};

/// The chain as received (cv of RFC 8617 §4.1.3, §5.2). TempError: a key could not be looked up.
enum class ArcResult : std::uint8_t { None, Pass, Fail, TempError };

struct ArcVerdict {
  ArcResult result = ArcResult::None;
  std::uint8_t instances = 0;    ///< ARC sets in the message, as far as countable
  std::uint8_t oldest_pass = 0;  ///< RFC 8617 §5.2 step 5; 0 when every AMS passes
  std::string last_sealer;       ///< d= of the newest seal, folded
  std::string problem;
};

/// RFC 8601 §3, §2.7.3.
enum class IprevResult : std::uint8_t { Pass, Fail, TempError, PermError };

struct IprevVerdict {
  IprevResult result = IprevResult::PermError;
  std::string name;  ///< confirmed by its address record; "" otherwise
};

/// Everything about one message.
struct Authentication {
  SpfVerdict helo{.identity = SpfIdentity::Helo};
  SpfVerdict mail_from;
  std::vector<DkimVerdict> dkim;  ///< topmost field first
  DmarcVerdict dmarc;
  ArcVerdict arc;
  IprevVerdict iprev;

  /// The SPF verdict that DMARC uses: MAIL FROM, or HELO for the null sender (RFC 7208 §2.4).
  const SpfVerdict& spf(bool null_sender) const { return null_sender ? helo : mail_from; }
};

/// Result names as they stand in Authentication-Results: "softfail", "temperror".
std::string_view name_of(SpfResult result);
std::string_view name_of(DkimResult result);
std::string_view name_of(DmarcResult result);
std::string_view name_of(DmarcPolicy policy);
std::string_view name_of(ArcResult result);
std::string_view name_of(IprevResult result);

}  // namespace relay::mail
