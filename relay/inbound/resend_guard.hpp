// A client that missed our 250 must send its message again. The guard recognises the message and
// gives the 250 again without storing a second copy (guarantee "A lost 250 makes no second
// message"). Equal content alone does not make a message a resend: devices send identical alarms,
// without Message-ID and Date, as separate messages.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/ports/commit_proof.hpp"

namespace relay::inbound {

/// Identifies a transaction by client, envelope and every octet of content: a digest of 32 octets.
using ResendKey = std::string;

ResendKey resend_key(const std::string& client_address, const std::string& reverse_path,
                     const std::vector<std::string>& forward_paths,
                     const std::string& content_sha256);

/// Accepted messages that a client may send again. A message with a Message-ID is kept from its
/// commit until the client has shown that it received the 250. Any other is kept only if the 250
/// may not have been received: the connection ended with it unacknowledged, or the process did not
/// stop cleanly (the next start then fills the guard from the queue). Bounded in number and time;
/// thread-safe.
class ResendGuard {
 public:
  static constexpr std::size_t kMaxEntries = ports::kMostRemembered;
  static constexpr std::chrono::minutes kMemory{10};

  /// A key that is known already keeps its time: repeating does not prolong it.
  void remember(const ResendKey& key, const ports::CommitProof& proof, base::SteadyTime now);

  void forget(const ResendKey& key);

  /// The proof of the first commit, if the message is remembered.
  std::optional<ports::CommitProof> find(const ResendKey& key, base::SteadyTime now);

  std::size_t size() const;

 private:
  struct Entry {
    ResendKey key;
    ports::CommitProof proof;
    base::SteadyTime at;
  };

  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< the newest first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
};

}  // namespace relay::inbound
