#include "relay/base/watchdog.hpp"

#include <utility>

namespace relay::base {

Watchdog::Watch::Watch(Watchdog& dog, std::string_view what, std::string detail, SteadyTime ends_by)
    : dog_(dog) {
  std::list<Entry> made;
  made.push_back({what, std::move(detail), ends_by});
  entry_ = made.begin();
  const std::lock_guard lock(dog_.mutex_);
  dog_.watched_.splice(dog_.watched_.end(), made);
}

Watchdog::Watch::~Watch() {
  std::list<Entry> gone;
  const std::lock_guard lock(dog_.mutex_);
  gone.splice(gone.end(), dog_.watched_, entry_);
}

std::vector<Watchdog::Overdue> Watchdog::newly_overdue(SteadyTime now) {
  std::vector<Overdue> overdue;
  const std::lock_guard lock(mutex_);
  for (Watch::Entry& entry : watched_) {
    if (entry.told || now - kGrace < entry.ends_by) continue;
    entry.told = true;
    ++found_;
    overdue.push_back({entry.what, entry.detail,
                       std::chrono::duration_cast<std::chrono::seconds>(now - entry.ends_by)});
  }
  return overdue;
}

std::uint64_t Watchdog::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

}  // namespace relay::base
