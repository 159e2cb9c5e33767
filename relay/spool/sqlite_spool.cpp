#include "relay/spool/sqlite_spool.hpp"

#include <utility>

#include "relay/spool/delivery_requests.hpp"
#include "relay/spool/intake_requests.hpp"
#include "relay/spool/operator_requests.hpp"
#include "relay/spool/small_requests.hpp"
#include "relay/spool/spool_folder.hpp"

namespace relay::spool {

struct SqliteSpool::Requests {
  Requests(Writer& writer, Tables& tables)
      : intake(writer, tables),
        delivery(writer, tables),
        operators(writer, tables),
        consent(writer, tables),
        tokens(writer, tables),
        greylist(writer, tables) {}

  IntakeRequests intake;
  DeliveryRequests delivery;
  OperatorRequests operators;
  ConsentRequests consent;
  TokenRequests tokens;
  GreylistRequests greylist;
};

std::expected<std::unique_ptr<SqliteSpool>, std::string> SqliteSpool::open(
    const SpoolOptions& options) {
  if (options.clock == nullptr) return std::unexpected("the queue needs a clock");
  if (auto ready = prepare_folder(options.path, options.allow_network_file_system); !ready) {
    return std::unexpected(ready.error());
  }
  auto database = OpenedDatabase::open(
      options.path, *options.clock,
      {.tokens = options.tokens, .greylist_rows = options.greylist_rows}, options.shrink_above);
  if (!database) return std::unexpected(database.error());
  std::unique_ptr<SqliteSpool> spool(new SqliteSpool(std::move(*database), options));
  make_reserve(options.path);
  spool->writer_.start();
  return spool;
}

SqliteSpool::SqliteSpool(OpenedDatabase database, const SpoolOptions& options)
    : path_(options.path),
      database_(std::move(database)),
      disk_(*database_.connection, *database_.content, options.path, options.min_free),
      writer_(*database_.transactions, disk_, *options.clock,
              {.work = [tables = database_.tables.get()] { tables->remove_expired(); },
               .every = options.token_round}),
      requests_(std::make_unique<Requests>(writer_, *database_.tables)) {}

SqliteSpool::~SqliteSpool() { SqliteSpool::close(); }

ports::IntakeQueue& SqliteSpool::intake() { return requests_->intake; }

ports::DeliveryQueue& SqliteSpool::delivery() { return requests_->delivery; }

ports::OperatorQueue& SqliteSpool::operators() { return requests_->operators; }

ports::ConsentQueue& SqliteSpool::consent() { return requests_->consent; }

ports::TokenStore& SqliteSpool::tokens() { return requests_->tokens; }

ports::GreylistStore& SqliteSpool::greylist() { return requests_->greylist; }

ports::StoreReport SqliteSpool::report() const {
  const OpenReport& found = database_.report;
  return {.place = path_,
          .messages = found.messages,
          .clean = found.clean,
          .last_write = found.last_write,
          .drafts_removed = found.drafts_removed,
          .given_back = found.given_back,
          .details = {{"journal_mode", found.journal_mode},
                      {"synchronous", found.synchronous},
                      {"locking_mode", found.locking_mode}},
          .engine = {"sqlite", found.sqlite_version}};
}

std::uint64_t SqliteSpool::free_octets() const { return spool::free_octets(path_); }

void SqliteSpool::close() {
  if (std::exchange(closed_, true)) return;
  writer_.stop();
  writer_.finish();
  database_.tables.reset();
  database_.transactions.reset();
  database_.content.reset();
  database_.connection.reset();
}

}  // namespace relay::spool
