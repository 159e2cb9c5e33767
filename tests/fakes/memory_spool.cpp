#include "tests/fakes/memory_spool.hpp"

namespace relay::fakes {

MemorySpool::MemorySpool(const ports::Clock& clock, std::size_t max_greylist_rows)
    : core_(clock),
      intake_(core_),
      delivery_(core_),
      operators_(core_),
      consent_(core_),
      tokens_(core_),
      greylist_(core_, max_greylist_rows),
      report_{.place = "memory", .engine = {"memory", ""}} {}

ports::StoreReport MemorySpool::report() const {
  const std::lock_guard lock(core_.mutex);
  return report_;
}

void MemorySpool::close() {
  const std::lock_guard lock(core_.mutex);
  core_.closed = true;
}

/// A crash loses drafts; all else was committed.
void MemorySpool::open_again() {
  const std::lock_guard lock(core_.mutex);
  report_.clean = core_.closed;
  report_.messages = core_.messages.all().size();
  report_.drafts_removed = static_cast<std::int64_t>(core_.drafts.size());
  core_.drafts.clear();
  core_.closed = false;
}

void MemorySpool::fail_write(int n, ports::SpoolError error) {
  const std::lock_guard lock(core_.mutex);
  core_.fail_at = n;
  core_.fail_with = error;
}

void MemorySpool::damage(const mail::MessageId& id) {
  const std::lock_guard lock(core_.mutex);
  if (MemoryMessage* message = core_.messages.find(id)) message->rows_damaged = true;
}

void MemorySpool::damage_content(const mail::MessageId& id, std::uint32_t first_chunk) {
  const std::lock_guard lock(core_.mutex);
  if (MemoryMessage* message = core_.messages.find(id)) message->damaged_from = first_chunk;
}

std::size_t MemorySpool::messages() const {
  const std::lock_guard lock(core_.mutex);
  return core_.messages.all().size();
}

std::size_t MemorySpool::drafts() const {
  const std::lock_guard lock(core_.mutex);
  return core_.drafts.size();
}

std::size_t MemorySpool::greylist_rows() const {
  const std::lock_guard lock(core_.mutex);
  return greylist_.rows();
}

std::vector<ports::Update> MemorySpool::updates() const {
  const std::lock_guard lock(core_.mutex);
  return core_.updates;
}

}  // namespace relay::fakes
