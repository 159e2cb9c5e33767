// What a store found when it was opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/time.hpp"

namespace relay::ports {

struct StoreDetail {
  std::string_view name;  ///< a literal: it becomes a key of the log
  std::string value;
};

/// For the log, and for what a start does after an end that was none.
struct StoreReport {
  std::string place;  ///< of the queue, for people; without secrets
  std::uint64_t messages = 0;
  bool clean = true;  ///< the last process closed the queue
  /// After an unclean end: when the queue was last written to, if known.
  std::optional<base::WallTime> last_write = {};
  std::int64_t drafts_removed = 0;
  std::uint64_t given_back = 0;           ///< octets by which the store is smaller than it was
  std::vector<StoreDetail> details = {};  ///< what else the log is to say of this store
  StoreDetail engine;                     ///< the library or server that stores, and its version
};

}  // namespace relay::ports
