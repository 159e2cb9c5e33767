#include "tests/powercut/lying_disk.hpp"

#include <utility>

#include "tests/controls/sabotage.hpp"

namespace relay::powercut {

namespace {

using Kind = Operation::Kind;

bool is_of_content(const Operation& operation) { return operation.file.ends_with("-content"); }

bool is_sync(const Operation& operation) { return operation.kind == Kind::Sync; }

void without_syncs_of_commits(std::vector<Operation>& log, Operation operation) {
  if (is_sync(operation) && !is_of_content(operation)) return;
  log.push_back(std::move(operation));
}

void without_syncs_of_content(std::vector<Operation>& log, Operation operation) {
  if (is_sync(operation) && is_of_content(operation)) return;
  log.push_back(std::move(operation));
}

/// What is written to big content overtakes the last few syncs of commits: one of them gave its
/// place up. It does not overtake what was written there before.
void with_content_ahead(std::vector<Operation>& log, Operation operation) {
  if (operation.kind != Kind::Write || !is_of_content(operation)) {
    log.push_back(std::move(operation));
    return;
  }
  constexpr int kOvertaken = 3;
  auto place = log.end();
  int overtaken = 0;
  for (auto one = log.end(); one != log.begin() && overtaken < kOvertaken;) {
    --one;
    if (is_of_content(*one) && one->kind == Kind::Write && one->offset == operation.offset) break;
    if (!is_sync(*one) || is_of_content(*one)) continue;
    place = one;
    ++overtaken;
  }
  log.insert(place, std::move(operation));
}

}  // namespace

Remembering* lying_disk(std::string_view sabotage) {
  if (sabotage == controls::kNoSabotage) return remember_honestly;
  if (sabotage == "synchronous-off") return without_syncs_of_commits;
  if (sabotage == "content-unsynced") return without_syncs_of_content;
  if (sabotage == "slot-reused-early") return with_content_ahead;
  return nullptr;
}

}  // namespace relay::powercut
