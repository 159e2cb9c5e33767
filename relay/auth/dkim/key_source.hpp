// Fetches the key of a selector from the DNS (RFC 6376 §3.6.2) and distinguishes temporary from
// permanent failures.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "relay/auth/dkim/key_record.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth::dkim {

/// A selector should have one TXT record; with several the result is undefined (§3.6.2.2), and a
/// verifier may try each (§6.1.2). We use those that are key records, at most this many, sorted by
/// their text, so that the order of the DNS answer does not matter.
inline constexpr std::size_t kMaxKeyRecords = 3;

struct FetchedKey {
  std::vector<KeyRecord> records;  ///< one or more, none revoked
};

struct KeyProblem {
  bool temporary = false;  ///< TempError: the DNS did not answer; else PermError
  std::string text;        ///< one line in our own words
};

/// Temporary errors are those of ports::is_temporary(). Permanent: no such name, no TXT record, no
/// key record of a known type, or only revoked ones (p= empty).
base::Task<std::expected<FetchedKey, KeyProblem>> fetch_key(ports::Resolver& resolver,
                                                            std::string selector,
                                                            std::string domain,
                                                            base::Deadline deadline);

/// Selects the key records among the TXT records of a name; used by fetch_key().
std::expected<FetchedKey, KeyProblem> select_key_records(std::vector<std::string> texts);

}  // namespace relay::auth::dkim
