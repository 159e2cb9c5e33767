// A client that lost our 250 sends its message again, as it must. We know it again and say 250 a
// second time, without a second copy.
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

/// Messages whose 250 may not have been heard: the connection ended before the client said anything
/// after it, or the process did. Bounded in number and time; thread-safe.
class ResendGuard {
 public:
  static constexpr std::size_t kMaxEntries = 10'000;
  static constexpr std::chrono::hours kMemory{6};

  void remember(const ResendKey& key, const ports::CommitProof& proof, base::SteadyTime now);

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
