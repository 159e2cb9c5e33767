// The stores that keep what the ports of the queue promise. The tests of these promises take each
// of them from kStores: a further store is one more line there.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "relay/spool/sqlite_spool.hpp"
#include "tests/fakes/memory_spool.hpp"

namespace relay::spool {

/// How many greylist rows a store under test keeps.
inline constexpr std::int64_t kGreylistRows = 40;

/// The ports of a store, one for each client.
struct Clients {
  ports::IntakeQueue& intake;
  ports::DeliveryQueue& delivery;
  ports::OperatorQueue& operators;
  ports::ConsentQueue& consent;
  ports::TokenStore& tokens;
  ports::GreylistStore& greylist;
};

template <class Spool>
Clients clients_of(Spool& spool) {
  return {spool.intake(),  spool.delivery(), spool.operators(),
          spool.consent(), spool.tokens(),   spool.greylist()};
}

/// A store that is open.
class Store {
 public:
  virtual ~Store() = default;

  virtual Clients clients() = 0;

  /// Ends as its process does, and is opened by the next one. References to clients end with it.
  virtual void restart() = 0;
};

struct StoreKind {
  const char* name;
  /// `folder`: where it may keep what it has; `clock`: what it takes for now, and outlives it.
  std::function<std::unique_ptr<Store>(const std::filesystem::path& folder,
                                       const ports::Clock& clock)>
      open;
};

inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

class MemoryStore final : public Store {
 public:
  MemoryStore(const std::filesystem::path& /*folder*/, const ports::Clock& clock)
      : spool_(clock, kGreylistRows) {}

  Clients clients() override { return clients_of(spool_); }

  void restart() override { spool_.forget_uncommitted(); }

 private:
  fakes::MemorySpool spool_;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(const std::filesystem::path& folder, const ports::Clock& clock)
      : options_{.path = folder / "queue.db", .greylist_rows = kGreylistRows, .clock = &clock} {
    restart();
  }

  Clients clients() override { return clients_of(*spool_); }

  void restart() override {
    spool_.reset();
    auto opened = SqliteSpool::open(options_);
    if (!opened) throw std::runtime_error(opened.error());
    spool_ = std::move(*opened);
  }

 private:
  const SpoolOptions options_;
  std::unique_ptr<SqliteSpool> spool_;
};

template <class Opened>
std::unique_ptr<Store> open_store(const std::filesystem::path& folder, const ports::Clock& clock) {
  return std::make_unique<Opened>(folder, clock);
}

inline const auto kStores = testing::Values(StoreKind{"Memory", open_store<MemoryStore>},
                                            StoreKind{"Sqlite", open_store<SqliteStore>});

inline std::string store_name(const testing::TestParamInfo<StoreKind>& info) {
  return info.param.name;
}

}  // namespace relay::spool
