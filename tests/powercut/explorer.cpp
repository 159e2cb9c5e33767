#include "tests/powercut/explorer.hpp"

#include <algorithm>

#include "relay/spool/opened_database.hpp"

namespace relay::powercut {

using Kind = Operation::Kind;

namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};
constexpr std::size_t kWhole = 0;

/// How an image is made from what is pending; further numbers are random subsets.
enum Variant : unsigned { kNothing, kEverything, kFirstRandom };

}  // namespace

Explorer::Explorer(const Recording& recording, std::uint64_t seed)
    : recording_(recording), random_(seed) {
  disk_.remember(false);
}

void Explorer::advance(const Operation& operation) {
  switch (operation.kind) {
    case Kind::Write:
    case Kind::Truncate:
      pending_[operation.file].push_back(&operation);
      break;
    case Kind::Sync: {
      for (const Operation* one : pending_[operation.file]) apply(durable_, *one, kWhole);
      pending_.erase(operation.file);
      break;
    }
    case Kind::Delete:
      durable_.erase(operation.file);
      pending_.erase(operation.file);
      break;
    case Kind::Fact:
      if (operation.fact == Fact::Acknowledged) {
        promises_.acknowledged.emplace(operation.id, operation.index);
      }
      if (operation.fact == Fact::TokenGiven) promises_.tokens.insert(operation.id);
      if (operation.fact == Fact::RemoteAccepted) {
        promises_.accepted.emplace(operation.id, operation.index);
      }
      if (operation.fact == Fact::Ending) {
        promises_.ending.emplace(std::pair(operation.id, operation.index), operation.dsn);
      }
      if (operation.fact == Fact::Recorded) {
        promises_.recorded.emplace(operation.id, operation.index);
        forget_finished(operation.id);
      }
      break;
  }
}

/// `unit` 0: the whole operation; else each unit of a write comes or does not.
void Explorer::apply(Files& files, const Operation& operation, std::size_t unit) {
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

Files Explorer::image(unsigned variant) {
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

namespace {

/// What is counted as it changes is what counting finds; and no draft has outlived the start.
bool tally_is_true(spool::Connection& connection) {
  return connection.pragma(
             "SELECT (SELECT count(*) FROM tally WHERE "
             "messages = (SELECT count(*) FROM message) AND "
             "octets = (SELECT coalesce(sum(size), 0) FROM message) AND "
             "waiting = (SELECT count(*) FROM recipient WHERE state = 0) AND "
             "held = (SELECT count(*) FROM recipient WHERE state = 1)) + "
             "(SELECT count(*) FROM draft) + (SELECT count(*) - count(DISTINCT number) FROM slot) "
             "+ "
             "(SELECT count(*) FROM slot WHERE NOT EXISTS (SELECT 1 FROM message m WHERE "
             "m.id = slot.id)) + (SELECT count(*) FROM chunk WHERE NOT EXISTS "
             "(SELECT 1 FROM message m WHERE m.id = chunk.id))") == "1";
}

}  // namespace

void Explorer::trouble(std::uint64_t& counter, const std::string& what) {
  ++counter;
  if (verdict_.example.empty()) {
    verdict_.example = "after operation " + std::to_string(moment_) + ": " + what;
  }
}

void Explorer::judge(Files files) {
  ++verdict_.images;
  disk_.load(std::move(files));
  try {
    auto opened = spool::OpenedDatabase::open(recording_.database, {});
    if (!opened) return trouble(verdict_.unopened, opened.error());
    const std::string sound = opened->connection->pragma("PRAGMA integrity_check(1)");
    if (sound != "ok") trouble(verdict_.damaged, sound);
    if (!tally_is_true(*opened->connection)) trouble(verdict_.damaged, "the tally");
    for (const auto& [id, copies] : promises_.acknowledged) {
      judge_message(id, copies, *opened->store);
    }
    judge_completions(*opened->store);
    for (const auto& id : promises_.tokens) {
      if (!opened->store->find_token(id.to_string(), kNow)) {
        trouble(verdict_.tokens_lost, "the token of " + id.to_string() + " is gone");
      }
    }
  } catch (const spool::DatabaseError& error) {
    trouble(verdict_.damaged, error.what());
  }
}

/// What was closed stays closed, and a failure never stands without its DSN (C9).
void Explorer::judge_completions(spool::Store& store) {
  std::set<std::pair<base::Ulid, std::uint16_t>> open;
  for (const auto& item : store.due(kNow + std::chrono::days(1000), std::nullopt, 100'000)) {
    open.emplace(item.id, item.index);
  }
  for (const auto& copy : open) {
    if (promises_.recorded.contains(copy)) {
      trouble(verdict_.undone, "a closed copy of " + copy.first.to_string() + " is open again");
    }
  }
  for (const auto& [copy, dsn] : promises_.ending) {
    const bool told = open.contains({dsn, 0}) || all_ended(dsn, 1);
    if (!open.contains(copy) && !told) {
      trouble(verdict_.dsns_lost, "the DSN about " + copy.first.to_string() + " is gone");
    }
  }
}

/// Every copy is recorded: nothing more is owed for the message but that it stays closed.
void Explorer::forget_finished(const base::Ulid& id) {
  const auto owed = promises_.acknowledged.find(id);
  if (owed == promises_.acknowledged.end()) return;
  for (std::uint16_t index = 0; index < owed->second; ++index) {
    if (!promises_.recorded.contains(std::pair(id, index))) return;
  }
  promises_.acknowledged.erase(owed);
}

/// Then a message may be gone: there is nothing left to do for it.
bool Explorer::all_ended(const base::Ulid& id, std::uint16_t copies) const {
  for (std::uint16_t index = 0; index < copies; ++index) {
    const std::pair copy(id, index);
    if (!promises_.accepted.contains(copy) && !promises_.recorded.contains(copy) &&
        !promises_.ending.contains(copy)) {
      return false;
    }
  }
  return true;
}

void Explorer::judge_message(const base::Ulid& id, std::uint16_t copies, spool::Store& store) {
  const auto queued = store.load(id);
  if (!queued) {
    if (!all_ended(id, copies)) trouble(verdict_.lost, "message " + id.to_string() + " is gone");
    return;
  }
  std::uint64_t octets = 0;
  for (std::uint32_t sequence = 0;; ++sequence) {
    const auto chunk = store.read(id, sequence);
    if (!chunk || !spool::is_sound(id, sequence, *chunk)) {
      return trouble(verdict_.damaged, "content of " + id.to_string());
    }
    if (chunk->octets.empty()) break;
    octets += chunk->octets.size();
  }
  if (octets != queued->message.size) trouble(verdict_.damaged, "octets of " + id.to_string());
  for (const auto& copy : queued->recipients) {
    const auto& handling = copy.route.handling;
    const bool whole = !handling.seal || (handling.reason == reason_of(id, copy.route.index) &&
                                          queued->message.seal_fields == seal_of(id));
    if (!whole) trouble(verdict_.damaged, "handling of " + id.to_string());
  }
}

Verdict Explorer::explore(std::uint64_t images) {
  const std::size_t moments = recording_.operations.size();
  const auto per_moment = std::max<std::uint64_t>(1, images / std::max<std::size_t>(moments, 1));
  for (moment_ = 0; moment_ < moments; ++moment_) {
    advance(recording_.operations[moment_]);
    ++verdict_.moments;
    // Nothing pending: there is one image only.
    const std::uint64_t count = pending_.empty() ? 1 : per_moment;
    for (std::uint64_t variant = 0; variant < count; ++variant) {
      // A single image per moment is a different one each time.
      const auto chosen = count == 1 ? random_() % 4 : variant;
      judge(image(static_cast<unsigned>(chosen)));
    }
  }
  return verdict_;
}

}  // namespace relay::powercut
