// The stores that keep what the ports of the queue promise. The tests of these promises take each
// of them from kStores: a further store is one more line there. tests/app/stores_test.cpp holds
// against this list what `queue.store` can choose.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "relay/spool/sqlite_spool.hpp"
#include "tests/fakes/memory_spool.hpp"

namespace relay::spool {

/// How many greylist rows a store under test keeps.
inline constexpr std::int64_t kGreylistRows = 40;

/// A store under test, which is open.
class TestedStore {
 public:
  virtual ~TestedStore() = default;

  virtual ports::Store& store() = 0;

  /// Closed, and opened by the next process. References to the store and its ports end with it.
  virtual void restart() = 0;
};

struct StoreKind {
  const char* name;
  std::string_view scheme;  ///< of `queue.store`; "" of a fake, which no configuration can choose
  /// `folder`: where it may keep what it has; `clock`: what it takes for now, and outlives it.
  std::function<std::unique_ptr<TestedStore>(const std::filesystem::path& folder,
                                             const ports::Clock& clock)>
      open;
};

inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

class MemoryStore final : public TestedStore {
 public:
  MemoryStore(const std::filesystem::path& /*folder*/, const ports::Clock& clock)
      : spool_(clock, kGreylistRows) {}

  ports::Store& store() override { return spool_; }

  void restart() override {
    spool_.close();
    spool_.open_again();
  }

 private:
  fakes::MemorySpool spool_;
};

class SqliteStore final : public TestedStore {
 public:
  SqliteStore(const std::filesystem::path& folder, const ports::Clock& clock)
      : options_{.path = folder / "queue.db", .greylist_rows = kGreylistRows, .clock = &clock} {
    restart();
  }

  ports::Store& store() override { return *spool_; }

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
std::unique_ptr<TestedStore> open_tested(const std::filesystem::path& folder,
                                         const ports::Clock& clock) {
  return std::make_unique<Opened>(folder, clock);
}

inline const std::vector<StoreKind> kStoreKinds{
    {.name = "Memory", .scheme = "", .open = open_tested<MemoryStore>},
    {.name = "Sqlite", .scheme = "sqlite", .open = open_tested<SqliteStore>}};

inline const auto kStores = testing::ValuesIn(kStoreKinds);

inline std::string store_name(const testing::TestParamInfo<StoreKind>& info) {
  return info.param.name;
}

}  // namespace relay::spool
