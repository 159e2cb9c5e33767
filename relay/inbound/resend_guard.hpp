// A client that lost our 250 sends its message again, as it must. We know it again and say 250 a
// second time, without a second copy. A message that merely equals an earlier one is not sent
// again: devices write the same alarm, without Message-ID and Date, as often as there is one.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/ports/intake_queue.hpp"

namespace relay::inbound {

/// What makes two transactions the same: client, envelope and every octet of the content. A digest
/// of 32 octets.
using ResendKey = std::string;

ResendKey resend_key(const std::string& client_address, const std::string& reverse_path,
                     const std::vector<std::string>& forward_paths,
                     const std::string& content_sha256);

/// Accepted messages that a client may send again. One with a Message-ID is known from its commit
/// until its client has shown that it heard the 250; any other only when the 250 cannot have been
/// received, or when the process ended without a farewell. Bounded in number and time; thread-safe.
class ResendGuard {
 public:
  static constexpr std::size_t kMaxEntries = 20'000;
  static constexpr std::chrono::minutes kMemory{10};

  /// One that is known already keeps its time: nothing is remembered for longer by being repeated.
  void remember(const ResendKey& key, const ports::CommitProof& proof, base::SteadyTime now);

  void forget(const ResendKey& key);

  /// The proof of the first time.
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
