// The queue's database as it must be before anybody uses it: durable settings in force, checked
// after an unclean end, migrated, drafts of the last run gone.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "relay/spool/tables.hpp"

namespace relay::spool {

/// What opening found, for the start-up log: values read back, not values asked for.
struct OpenReport {
  std::string sqlite_version;
  std::string journal_mode;
  std::string synchronous;  ///< "2": FULL
  std::string locking_mode;
  bool clean = true;  ///< the last run closed the queue
  /// Of a run that did not: when it wrote to the queue for the last time, if anybody can tell.
  std::optional<base::WallTime> last_write;
  std::int64_t drafts_removed = 0;
  std::uint64_t messages = 0;
};

struct OpenedDatabase {
  std::unique_ptr<Connection> connection;
  std::unique_ptr<ContentFile> content;
  std::unique_ptr<Transactions> transactions;
  std::unique_ptr<Tables> tables;
  OpenReport report;

  /// The error is a sentence: in use, damaged, of a newer program, without durable settings. The
  /// clock outlives it.
  static std::expected<OpenedDatabase, std::string> open(const std::string& path,
                                                         const ports::Clock& clock,
                                                         const TableLimits& limits = {});
};

}  // namespace relay::spool
