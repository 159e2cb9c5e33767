// Where the queue is kept, and what it shows.
#pragma once

#include <cstdint>
#include <string>

#include "relay/base/source_place.hpp"

namespace relay::settings {

struct Queue {
  std::string scheme = "sqlite";  ///< of `store`, a URL; relay/app/wiring_store.cpp has them all
  std::string server = {};        ///< what follows "//" where `store` names a host; else ""
  /// The file that `store` names, unless it names a host. What we remember beside a queue, whatever
  /// its store is, lies in the folder of this file.
  std::string path = "/var/lib/srs-relay/queue.db";
  base::SourcePlace store_at = {};  ///< of the value of `store`
  std::uint64_t min_free = 1ULL << 30;
  bool redact_target = true;  ///< DSNs show the alias, never its private target
};

}  // namespace relay::settings
