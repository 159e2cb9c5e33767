// Records what operators did, as "admin" events in the log, which are never dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/mail/message.hpp"
#include "relay/ops/controls.hpp"
#include "relay/ops/verb.hpp"
#include "relay/ports/clock.hpp"

namespace relay::ops {

/// Who asked, for what, and why.
struct Order {
  Verb verb = Verb::Status;
  std::vector<std::string> words;  ///< of the filter, as given
  std::string reason;
  Asker asker;
};

/// An event with all fields of the order.
base::Event admin_event(const Order& order, base::WallTime now);

/// Logs every copy that a bulk verb changed, kPerLine per event. If the verb ends early, the
/// destructor logs the copies that have not been logged yet.
class AuditTrail {
 public:
  static constexpr std::size_t kPerLine = 100;

  /// `order`, `log` and `clock` must outlive the trail.
  AuditTrail(const Order& order, base::Log& log, ports::Clock& clock)
      : order_(order), log_(log), clock_(clock) {}

  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;
  ~AuditTrail();

  void add(const std::vector<mail::CopyId>& changed);

  /// Writes the last event, with the totals, even when nothing was changed. `problem`: why the
  /// change ended early.
  void finish(std::uint64_t changed, std::uint64_t under_way, std::string_view problem = {});

 private:
  base::Event line();

  const Order& order_;
  base::Log& log_;
  ports::Clock& clock_;
  std::vector<std::string> ids_;
  bool finished_ = false;
};

}  // namespace relay::ops
