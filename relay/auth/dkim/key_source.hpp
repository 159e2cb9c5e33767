// Fetches the key of a selector from the DNS (RFC 6376 §3.6.2) and tells what may be otherwise
// tomorrow from what will not.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "relay/auth/dkim/key_record.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::dkim {

/// A selector has one TXT record; with several the result is undefined (§3.6.2.2) and a verifier
/// may go through them (§6.1.2). We take those that are key records, at most this many, in the
/// order of their text, so that the order of an answer never decides.
inline constexpr std::size_t kMaxKeyRecords = 3;

struct FetchedKey {
  std::vector<KeyRecord> records;  ///< one or more, none of them revoked
};

struct KeyProblem {
  bool temporary = false;  ///< the DNS did not answer: TempError. Else PermError
  std::string text;        ///< one line of ours
};

/// Temporary: whatever ports::is_temporary() says. Permanent: no such name, no TXT record, none
/// that is a key record of a known type, or only revoked ones (p= empty).
base::Task<std::expected<FetchedKey, KeyProblem>> fetch_key(ports::Resolver& resolver,
                                                            std::string selector,
                                                            std::string domain,
                                                            base::Deadline deadline);

/// What fetch_key() makes of the TXT records of a name.
std::expected<FetchedKey, KeyProblem> select_key_records(std::vector<std::string> texts);

}  // namespace relay::auth::dkim
