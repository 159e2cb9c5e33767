#include "relay/app/wiring_store.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "relay/settings/queue.hpp"
#include "relay/spool/spool_folder.hpp"
#include "relay/spool/sqlite_spool.hpp"

namespace relay::app {

namespace {

using Opened = std::expected<std::unique_ptr<ports::Store>, std::string>;
using Done = std::expected<void, std::string>;

// A queue on a network file system cannot be relied on, and no key says otherwise.
constexpr bool kAllowNetwork = false;

/// A store as each function of the header needs it.
struct Kind {
  std::string_view scheme;
  std::optional<std::string> (*objection)(const settings::Queue& queue);
  Done (*look_at)(const settings::Queue& queue);
  Done (*make_folder)(const settings::Queue& queue);
  Opened (*open)(const settings::Queue& queue, const ports::Clock& clock);
};

/// "sqlite://var/lib/queue.db" has one slash too few, and would be a file in another place.
std::optional<std::string> objection_to_sqlite(const settings::Queue& queue) {
  if (queue.server.empty()) return std::nullopt;
  return fmt::format(
      "sqlite keeps the queue in a file, and has no host \"{}\": \"sqlite:/path/to/queue.db\"",
      queue.server.substr(0, queue.server.find('/')));
}

Opened open_sqlite(const settings::Queue& queue, const ports::Clock& clock) {
  return spool::SqliteSpool::open({.path = queue.path,
                                   .min_free = queue.min_free,
                                   .clock = &clock,
                                   .allow_network_file_system = kAllowNetwork});
}

constexpr std::array kKinds{Kind{.scheme = "sqlite",
                                 .objection = objection_to_sqlite,
                                 .look_at = [](const settings::Queue& queue) -> Done {
                                   return spool::look_at_queue(queue.path, kAllowNetwork);
                                 },
                                 .make_folder = [](const settings::Queue& queue) -> Done {
                                   return spool::make_folder(queue.path, kAllowNetwork);
                                 },
                                 .open = open_sqlite}};

const Kind* find_kind(const settings::Queue& queue) {
  const auto* const kind = std::ranges::find(kKinds, queue.scheme, &Kind::scheme);
  return kind == kKinds.end() ? nullptr : kind;
}

const Kind& kind_of(const settings::Queue& queue) {
  const Kind* const kind = find_kind(queue);
  if (kind == nullptr) throw std::logic_error("no store for " + queue.scheme);
  return *kind;
}

}  // namespace

std::vector<std::string_view> store_schemes() {
  std::vector<std::string_view> schemes;
  for (const Kind& kind : kKinds) schemes.push_back(kind.scheme);
  return schemes;
}

std::optional<std::string> objection_to_store(const settings::Queue& queue) {
  if (const Kind* const kind = find_kind(queue)) return kind->objection(queue);
  return fmt::format("takes a URL of {}, not of \"{}\"", fmt::join(store_schemes(), ", "),
                     queue.scheme);
}

Done look_at_store(const settings::Queue& queue) { return kind_of(queue).look_at(queue); }

Done make_store_folder(const settings::Queue& queue) { return kind_of(queue).make_folder(queue); }

Opened open_store(const settings::Queue& queue, const ports::Clock& clock) {
  return kind_of(queue).open(queue, clock);
}

}  // namespace relay::app
