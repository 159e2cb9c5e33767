#include "relay/spool/sqlite_spool.hpp"

#include <utility>

#include "relay/spool/spool_folder.hpp"

namespace relay::spool {

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
    : database_(std::move(database)),
      disk_(*database_.connection, *database_.content, options.path, options.min_free),
      writer_(*database_.transactions, disk_, *options.clock,
              {.work = [tables = database_.tables.get()] { tables->remove_expired(); },
               .every = options.token_round}),
      intake_(writer_, *database_.tables),
      delivery_(writer_, *database_.tables),
      operators_(writer_, *database_.tables),
      consent_(writer_, *database_.tables),
      tokens_(writer_, *database_.tables),
      greylist_(writer_, *database_.tables) {}

SqliteSpool::~SqliteSpool() { close(); }

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
