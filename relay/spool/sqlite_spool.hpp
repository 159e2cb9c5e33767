// The durable queue on SQLite: opens, owns and closes what the queue consists of.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "relay/ports/store.hpp"
#include "relay/ports/store_report.hpp"
#include "relay/spool/opened_database.hpp"
#include "relay/spool/writer.hpp"

namespace relay::spool {

struct SpoolOptions {
  std::string path;                 ///< the database; its folder is created if missing
  std::uint64_t min_free = 0;       ///< octets of free disk below which no mail is accepted
  std::int64_t tokens = 1'000'000;  ///< most stored senders
  std::int64_t greylist_rows = Greylist::kMaxRows;
  const ports::Clock* clock = nullptr;    ///< required; the queue's time; outlives the queue
  std::chrono::seconds token_round{600};  ///< how often expired rows are removed
  bool allow_network_file_system = false;
  std::uint64_t shrink_above = kShrinkAbove;  ///< octets of the database; see shrink.hpp
};

class SqliteSpool final : public ports::Store {
 public:
  /// The error is a sentence: locked by another process, newer schema, damaged, network file
  /// system, …
  static std::expected<std::unique_ptr<SqliteSpool>, std::string> open(const SpoolOptions& options);
  SqliteSpool(const SqliteSpool&) = delete;
  SqliteSpool& operator=(const SqliteSpool&) = delete;
  ~SqliteSpool() override;

  ports::IntakeQueue& intake() override;
  ports::DeliveryQueue& delivery() override;
  ports::OperatorQueue& operators() override;
  ports::ConsentQueue& consent() override;
  ports::TokenStore& tokens() override;
  ports::GreylistStore& greylist() override;

  ports::StoreReport report() const override;
  std::uint64_t free_octets() const override;

  void add_to(base::Registry& registry) const override { metrics().add_to(registry); }

  bool poisoned() const noexcept override { return writer_.poisoned(); }

  /// Folds the log into the database, too.
  void close() override;

  Writer::Work work() const { return writer_.work(); }

  const Metrics& metrics() const { return writer_.metrics(); }

 private:
  struct Requests;  ///< the queue as each of its clients sees it

  SqliteSpool(OpenedDatabase database, const SpoolOptions& options);

  const std::string path_;
  OpenedDatabase database_;
  DiskUpkeep disk_;
  Writer writer_;
  const std::unique_ptr<Requests> requests_;
  bool closed_ = false;
};

}  // namespace relay::spool
