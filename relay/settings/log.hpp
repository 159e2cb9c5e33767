// [log]: where the log goes, and how it shows addresses.
#pragma once

#include <cstdint>
#include <string>

namespace relay::settings {

enum class LogRedact : std::uint8_t {
  None,
  LocalPart,  ///< as "…@domain"
  Hash,       ///< a digest keyed with the first SRS secret, as by `srs digest`
};

struct LogTarget {
  std::string file;  ///< empty: stderr
  LogRedact redact = LogRedact::None;
};

}  // namespace relay::settings
