// Answers to the operator's verbs, as values; print_text.hpp and print_json.hpp format them.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/message.hpp"
#include "relay/ops/controls.hpp"
#include "relay/ops/exit_code.hpp"
#include "relay/ports/delivery_control.hpp"
#include "relay/ports/pause_rule.hpp"
#include "relay/ports/queue_rows.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ops {

/// Why there is no answer: a sentence for the operator, and the exit code.
struct Refusal {
  ExitCode exit = ExitCode::Usage;
  std::string text;
};

template <class View>
using Answer = std::expected<View, Refusal>;

/// A page of `queue list`. `now` is the store's time, from which ages and waits are computed.
struct ListPage {
  base::WallTime now;
  std::vector<ports::QueueRow> rows;
  std::optional<mail::CopyId> next;  ///< where to go on; nullopt: the listing is complete
};

/// `queue show`: a message with all its copies, ended ones too, and its original header.
struct MessageView {
  base::WallTime now;
  std::vector<ports::QueueRow> copies;  ///< by index; at least one
  std::string header;
  bool header_cut = false;  ///< the header is longer than what is shown
};

/// What comes next for a copy.
struct CopyOutlook {
  ports::QueueRow row;
  std::optional<ports::Waiting> waits_for;  ///< besides its due time; nullopt: nothing
  std::optional<base::WallTime> expires;    ///< set for a waiting copy
};

/// `queue why`.
struct WhyView {
  base::WallTime now;
  std::vector<CopyOutlook> copies;  ///< by index; at least one
  std::vector<ports::AttemptRow> history;
};

/// What retry, hold, release, drop or bounce has done, or would do with dry_run.
struct ChangeView {
  ports::QueueAction action = ports::QueueAction::Retry;
  std::uint64_t changed = 0;
  /// Copies whose content had been sent completely, among them copies held just before: the next
  /// hop may still deliver them.
  std::uint64_t under_way = 0;
  bool dry_run = false;
};

/// A rule that is in force, or one that was removed.
struct PauseView {
  base::WallTime now;
  ports::PauseRule rule;
  bool holds = true;
};

struct StatusView {
  base::WallTime now;
  DaemonStatus daemon;
  std::expected<ports::QueueTotals, ports::SpoolError> totals;
  std::vector<ports::PauseRule> pauses;  ///< in force at the delivery side
};

using ReloadView = ReloadResult;

}  // namespace relay::ops
