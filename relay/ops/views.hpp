// What the operator's verbs answer: values, without a word of text or JSON. print_text.hpp and
// print_json.hpp show them.
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
#include "relay/ports/operator_queue.hpp"

namespace relay::ops {

/// Why there is no answer: a sentence for the operator, and how the command ends.
struct Refusal {
  ExitCode exit = ExitCode::Usage;
  std::string text;
};

template <class View>
using Answer = std::expected<View, Refusal>;

/// A part of `queue list`. `now` is the store's time, from which ages and waits are counted.
struct ListPage {
  base::WallTime now;
  std::vector<ports::QueueRow> rows;
  std::optional<mail::CopyId> next;  ///< where to go on; nullopt: that was all
};

/// `queue show`: a message with all its copies, ended ones too, and its header as it came.
struct MessageView {
  base::WallTime now;
  std::vector<ports::QueueRow> copies;  ///< by index; at least one
  std::string header;
  bool header_cut = false;  ///< it is longer than what is shown
};

/// What comes next for a copy.
struct CopyOutlook {
  ports::QueueRow row;
  std::optional<ports::Waiting> waits_for;  ///< besides its time; nullopt: nothing
  std::optional<base::WallTime> expires;    ///< of a waiting copy
};

/// `queue why`.
struct WhyView {
  base::WallTime now;
  std::vector<CopyOutlook> copies;  ///< by index; at least one
  std::vector<ports::AttemptRow> history;
};

/// What retry, hold, release, drop or bounce did, or with dry_run would do.
struct ChangeView {
  ports::QueueAction action = ports::QueueAction::Retry;
  std::uint64_t changed = 0;
  /// Of those, copies whose dot is written already: they may end as the next hop says.
  std::uint64_t under_way = 0;
  bool dry_run = false;
};

/// A rule that holds from now on, or one that was taken away.
struct PauseView {
  base::WallTime now;
  ports::PauseRule rule;
  bool holds = true;
};

struct StatusView {
  base::WallTime now;
  DaemonStatus daemon;
  std::expected<ports::QueueTotals, ports::SpoolError> totals;
  std::vector<ports::PauseRule> pauses;  ///< as the delivery side knows them
};

using ReloadView = ReloadResult;

}  // namespace relay::ops
