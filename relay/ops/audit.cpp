#include "relay/ops/audit.hpp"

#include <utility>

#include "relay/ops/copy_name.hpp"

namespace relay::ops {

base::Event admin_event(const Order& order, base::WallTime now) {
  base::Event event("admin", now);
  event.keep().text("verb", name(order.verb)).list("filter", order.words);
  event.text("reason", order.reason);
  if (!order.asker) return event;
  event.number("uid", order.asker->uid);
  if (order.asker->pid > 0) event.number("pid", order.asker->pid);
  if (!order.asker->name.empty()) event.text("user", order.asker->name);
  return event;
}

AuditTrail::~AuditTrail() {
  if (!finished_ && !ids_.empty()) log_.write(line());
}

void AuditTrail::add(const std::vector<mail::CopyId>& changed) {
  for (const mail::CopyId& copy : changed) {
    if (ids_.size() == kPerLine) log_.write(line());
    ids_.push_back(copy_name(copy));
  }
}

void AuditTrail::finish(std::uint64_t changed, std::uint64_t under_way, std::string_view problem) {
  base::Event last = line();
  last.number("changed", static_cast<std::int64_t>(changed));
  last.number("under_way", static_cast<std::int64_t>(under_way));
  if (!problem.empty()) last.text("problem", problem);
  log_.write(std::move(last));
  finished_ = true;
}

base::Event AuditTrail::line() {
  base::Event event = admin_event(order_, clock_.wall());
  event.list("ids", std::exchange(ids_, {}));
  return event;
}

}  // namespace relay::ops
