// The configuration as checked values. Immutable once loaded: sessions and attempts hold a
// snapshot, and a reload makes a new one. Every field has its default in the header of its section,
// or in the struct of a lower floor that the section extends, and nowhere else; the file only says
// what differs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/source_place.hpp"
#include "relay/forward/bounce_limits.hpp"
#include "relay/forward/policy.hpp"
#include "relay/mail/notice_policy.hpp"
#include "relay/settings/abuse.hpp"
#include "relay/settings/gateway.hpp"
#include "relay/settings/host.hpp"
#include "relay/settings/limits.hpp"
#include "relay/settings/listener.hpp"
#include "relay/settings/log.hpp"
#include "relay/settings/queue.hpp"
#include "relay/settings/tls.hpp"
#include "relay/settings/verification.hpp"

namespace relay::settings {

struct NamedFile;  // file_stamp.hpp

/// What the file says. What it says of forwarding is the policy of relay/forward.
struct Settings : forward::Policy {
  std::string file;                    ///< the path as given
  std::vector<std::string> sources;    ///< files that a SourcePlace can be in
  std::vector<NamedFile> named_files;  ///< all that it reads except credentials and variables
  std::vector<std::filesystem::path> named_folders;  ///< that `include` looks for files in
  std::string hash;           ///< first 16 hex digits of SHA-256 over all files read
  std::uint32_t threads = 0;  ///< shards; 0: one per core
  std::vector<Listener> listeners;
  std::vector<Gateway> gateways;
  Limits limits;
  std::vector<DnsList> dns_lists;
  Abuse abuse;
  Greylist greylist;
  Rates rates;
  forward::BounceLimits bounces;
  std::optional<Tls> tls;
  Dns dns;
  Auth auth;
  mail::NoticePolicy notices;
  Outbound outbound;
  Queue queue;
  LogTarget log;
  Control control;
};

/// The position of a place; the configuration as a whole when it is unknown.
inline base::SourcePosition position_of(const Settings& settings, const base::SourcePlace& place) {
  if (place.line == 0 || place.file >= settings.sources.size()) return {settings.file, 0, 0};
  return {settings.sources[place.file], static_cast<std::uint32_t>(place.line),
          static_cast<std::uint32_t>(place.column)};
}

}  // namespace relay::settings
