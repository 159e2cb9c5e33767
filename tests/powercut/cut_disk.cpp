#include "tests/powercut/cut_disk.hpp"

#include <algorithm>

namespace relay::powercut {

using Kind = Operation::Kind;

namespace {

constexpr std::size_t kWhole = 0;

}  // namespace

void CutDisk::advance(const Operation& operation) {
  switch (operation.kind) {
    case Kind::Write:
    case Kind::Truncate:
      pending_[operation.file].push_back(&operation);
      break;
    case Kind::Sync:
      for (const Operation* one : pending_[operation.file]) apply(durable_, *one, kWhole);
      pending_.erase(operation.file);
      break;
    case Kind::Delete:
      durable_.erase(operation.file);
      pending_.erase(operation.file);
      break;
    case Kind::Fact:
      break;
  }
}

/// `unit` 0: the whole operation; else each unit of a write comes or does not.
void CutDisk::apply(Files& files, const Operation& operation, std::size_t unit) {
  std::string& all = files[operation.file];
  if (operation.kind == Kind::Truncate) {
    all.resize(operation.offset);
    return;
  }
  const std::size_t end = operation.offset + operation.octets.size();
  if (all.size() < end) all.resize(end);
  if (unit == kWhole) {
    std::ranges::copy(operation.octets,
                      all.begin() + static_cast<std::ptrdiff_t>(operation.offset));
    return;
  }
  for (std::size_t at = operation.offset; at < end;) {
    const std::size_t next = std::min(end, (at / unit + 1) * unit);
    if (random_() % 2 == 0) {
      operation.octets.copy(all.data() + at, next - at, at - operation.offset);
    }
    at = next;
  }
}

Files CutDisk::image(unsigned variant) {
  Files files = durable_;
  for (const auto& [name, operations] : pending_) {
    files[name];  // created is created: its directory was synced (SQLite does so)
    for (const Operation* operation : operations) {
      if (variant == kEverything) {
        apply(files, *operation, kWhole);
      } else if (variant >= kFirstRandom) {
        const auto draw = random_() % 4;
        if (draw == 1) apply(files, *operation, kWhole);
        if (draw == 2) apply(files, *operation, 512);
        if (draw == 3) apply(files, *operation, 4096);
      }
    }
  }
  return files;
}

}  // namespace relay::powercut
