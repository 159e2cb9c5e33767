#include "relay/spool/sqlite_spool.hpp"

#include <thread>
#include <utility>

#include "relay/base/sabotage.hpp"
#include "relay/spool/spool_folder.hpp"

namespace relay::spool {

using ports::SpoolError;

namespace {

int count_wal_pages(void* pages, sqlite3*, const char*, int total) {
  *static_cast<std::int64_t*>(pages) = total;
  return SQLITE_OK;
}

}  // namespace

SqliteSpool::SqliteSpool(SpoolOptions options) : options_(std::move(options)) {}

std::expected<std::unique_ptr<SqliteSpool>, std::string> SqliteSpool::open(SpoolOptions options) {
  if (auto ready = prepare_folder(options.path, options.allow_network_file_system); !ready) {
    return std::unexpected(ready.error());
  }
  std::unique_ptr<SqliteSpool> spool(new SqliteSpool(std::move(options)));
  if (auto opened = spool->open_database(); !opened) return std::unexpected(opened.error());
  make_reserve(spool->options_.path);
  spool->writer_ = std::jthread([raw = spool.get()] { raw->run(); });
  return spool;
}

std::expected<void, std::string> SqliteSpool::open_database() {
  auto opened = OpenedDatabase::open(options_.path, options_.tokens);
  if (!opened) return std::unexpected(opened.error());
  connection_ = std::move(opened->connection);
  content_ = std::move(opened->content);
  store_ = std::move(opened->store);
  store_->greylist().keep_at_most(options_.greylist_rows);
  report_ = std::move(opened->report);
  sqlite3_wal_hook(connection_->raw(), count_wal_pages, &wal_pages_);
  return {};
}

SqliteSpool::~SqliteSpool() { close(); }

void SqliteSpool::close() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (writer_.joinable()) writer_.join();
  store_.reset();
  if (connection_ && !poisoned()) {
    sqlite3_wal_checkpoint_v2(connection_->raw(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                              nullptr);
    shrink_content();
  }
  content_.reset();
  connection_.reset();
}

SqliteSpool::Work SqliteSpool::work() const {
  return {requests_.load(std::memory_order_relaxed), commits_.load(std::memory_order_relaxed)};
}

/// Sends `work(Store&) -> expected<T, SpoolError>` to the writer and awaits its result.
template <class T, class Work>
base::Task<std::expected<T, SpoolError>> SqliteSpool::ask(Kind kind, Work work) {
  using Result = std::expected<T, SpoolError>;
  auto result = std::make_shared<std::optional<Result>>();
  co_return co_await base::await_answer<Result>(
      [this, kind, result, work = std::move(work)](auto resume) mutable {
        push({.kind = kind,
              .work = [result, work = std::make_shared<Work>(std::move(work))](
                          Store& store) -> std::optional<SpoolError> {
                *result = (*work)(store);
                if (!**result) return (*result)->error();
                return std::nullopt;
              },
              .answer =
                  [result, resume = std::move(resume)](std::optional<SpoolError> failed) mutable {
                    if (failed) {
                      resume(Result(std::unexpected(*failed)));
                    } else {
                      resume(std::move(**result));
                    }
                  },
              .failed = {}});
      });
}

base::Task<std::expected<void, SpoolError>> SqliteSpool::append(mail::MessageId draft,
                                                                std::uint32_t sequence,
                                                                std::string chunk) {
  std::string digest = chunk_digest(draft, sequence, chunk);
  // Promises nothing: whatever commits the message takes it to the disk.
  co_return co_await ask<void>(Kind::Note, [draft, sequence, chunk = std::move(chunk),
                                            digest = std::move(digest)](Store& store) {
    store.append(draft, sequence, {.octets = chunk, .digest = digest});
    return std::expected<void, SpoolError>();
  });
}

void SqliteSpool::discard(mail::MessageId draft) noexcept try {
  push({.kind = Kind::Record,
        .work = [draft](Store& store) -> std::optional<SpoolError> {
          store.discard(draft);
          return std::nullopt;
        },
        .answer = [](std::optional<SpoolError>) {},
        .failed = {}});
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the next start removes it
}

base::Task<std::expected<ports::CommitProof, SpoolError>> SqliteSpool::commit(
    ports::NewMessage message) {
  const mail::MessageId id = message.message.id;
  if (base::sabotaged(base::Sabotage::EarlyReply)) {
    std::jthread([this, message] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      push({.kind = Kind::Write,
            .work = [message](Store& store) -> std::optional<SpoolError> {
              const auto stored = store.insert(message, last_chunk_digest(message));
              return stored ? std::nullopt : std::optional(stored.error());
            },
            .answer = [](std::optional<SpoolError>) {},
            .failed = {}});
    }).detach();
    co_return proof_of(id);
  }
  std::string digest = last_chunk_digest(message);
  const auto stored =
      co_await ask<void>(Kind::Write, [message = std::move(message), digest = std::move(digest)](
                                          Store& store) { return store.insert(message, digest); });
  if (!stored) co_return std::unexpected(stored.error());
  co_return proof_of(id);
}

base::Task<std::expected<std::vector<ports::RememberedMessage>, SpoolError>>
SqliteSpool::accepted_since(base::WallTime since, std::size_t limit) {
  auto rows = co_await ask<std::vector<Store::Accepted>>(
      Kind::Read,
      [since, limit](Store& store) -> std::expected<std::vector<Store::Accepted>, SpoolError> {
        return store.accepted_since(since, limit);
      });
  if (!rows) co_return std::unexpected(rows.error());
  std::vector<ports::RememberedMessage> remembered;
  remembered.reserve(rows->size());
  for (auto& row : *rows) {
    remembered.push_back({.proof = proof_of(row.id),
                          .client = std::move(row.client),
                          .reverse_path = std::move(row.reverse_path),
                          .forward_paths = std::move(row.forward_paths),
                          .content_sha256 = std::move(row.content_sha256)});
  }
  co_return remembered;
}

base::Task<std::expected<mail::QueuedMessage, SpoolError>> SqliteSpool::load(mail::MessageId id) {
  co_return co_await ask<mail::QueuedMessage>(
      Kind::Read, [id](Store& store) -> std::expected<mail::QueuedMessage, SpoolError> {
        auto queued = store.load(id);
        if (!queued) return std::unexpected(SpoolError::NotFound);
        return std::move(*queued);
      });
}

base::Task<std::expected<std::string, SpoolError>> SqliteSpool::read(mail::MessageId id,
                                                                     std::uint32_t sequence) {
  auto chunk = co_await ask<StoredChunk>(
      Kind::Read, [id, sequence](Store& store) { return store.read(id, sequence); });
  if (!chunk) co_return std::unexpected(chunk.error());
  if (!is_sound(id, sequence, *chunk)) co_return std::unexpected(SpoolError::Corrupt);
  co_return std::move(chunk->octets);
}

base::Task<std::expected<void, SpoolError>> SqliteSpool::record(ports::Update update) {
  co_return co_await ask<void>(
      Kind::Record, [update = std::move(update)](Store& store) -> std::expected<void, SpoolError> {
        if (!store.record(update)) return std::unexpected(SpoolError::NotFound);
        return {};
      });
}

base::Task<std::expected<std::vector<mail::QueueItem>, SpoolError>> SqliteSpool::due(
    base::WallTime until, std::optional<ports::QueueCursor> cursor, std::size_t limit) {
  using Result = std::expected<std::vector<mail::QueueItem>, SpoolError>;
  co_return co_await ask<std::vector<mail::QueueItem>>(
      Kind::Read, [=](Store& store) -> Result { return store.due(until, cursor, limit); });
}

base::Task<std::expected<std::optional<base::WallTime>, SpoolError>> SqliteSpool::next_due(
    base::WallTime after) {
  using Result = std::expected<std::optional<base::WallTime>, SpoolError>;
  co_return co_await ask<std::optional<base::WallTime>>(
      Kind::Read, [after](Store& store) -> Result { return store.next_due(after); });
}

base::Task<std::expected<mail::ReversePath, SpoolError>> SqliteSpool::find_token(
    std::string token, base::WallTime now) {
  using Result = std::expected<mail::ReversePath, SpoolError>;
  co_return co_await ask<mail::ReversePath>(
      Kind::Read, [token = std::move(token), now](Store& store) -> Result {
        auto found = store.find_token(token, now);
        if (!found) return std::unexpected(SpoolError::NotFound);
        return std::move(*found);
      });
}

base::Task<std::expected<ports::GreylistAnswer, SpoolError>> SqliteSpool::greylist(
    ports::GreylistKey key, ports::GreylistRules rules, base::WallTime now) {
  using Result = std::expected<ports::GreylistAnswer, SpoolError>;
  co_return co_await ask<ports::GreylistAnswer>(
      Kind::Note, [key = std::move(key), rules, now](Store& store) -> Result {
        return store.greylist().see(key, rules, now);
      });
}

base::Task<std::expected<std::uint64_t, SpoolError>> SqliteSpool::awaiting(
    std::vector<std::string> addresses) {
  using Result = std::expected<std::uint64_t, SpoolError>;
  co_return co_await ask<std::uint64_t>(Kind::Read,
                                        [addresses = std::move(addresses)](Store& store) -> Result {
                                          return store.awaiting(addresses);
                                        });
}

base::Task<std::expected<std::vector<ports::AwaitingCopy>, SpoolError>>
SqliteSpool::awaiting_copies(std::optional<ports::AwaitingCopy> after, std::size_t limit) {
  using Result = std::expected<std::vector<ports::AwaitingCopy>, SpoolError>;
  co_return co_await ask<std::vector<ports::AwaitingCopy>>(
      Kind::Read, [after = std::move(after), limit](Store& store) -> Result {
        return store.awaiting_copies(after, limit);
      });
}

base::Task<std::expected<std::uint64_t, SpoolError>> SqliteSpool::release(
    std::vector<ports::AwaitingCopy> copies, base::WallTime now) {
  using Result = std::expected<std::uint64_t, SpoolError>;
  co_return co_await ask<std::uint64_t>(Kind::Record,
                                        [copies = std::move(copies), now](Store& store) -> Result {
                                          return store.release(copies, now);
                                        });
}

base::Task<std::expected<std::vector<ports::QueueRow>, SpoolError>> SqliteSpool::list(
    ports::QueueFilter filter, std::optional<ports::QueueCursor> cursor, std::size_t limit) {
  using Result = std::expected<std::vector<ports::QueueRow>, SpoolError>;
  co_return co_await ask<std::vector<ports::QueueRow>>(
      Kind::Read, [filter = std::move(filter), cursor, limit](Store& store) -> Result {
        return store.list(filter, cursor, limit);
      });
}

base::Task<std::expected<std::vector<ports::AttemptRow>, SpoolError>> SqliteSpool::attempts(
    mail::MessageId id) {
  using Result = std::expected<std::vector<ports::AttemptRow>, SpoolError>;
  co_return co_await ask<std::vector<ports::AttemptRow>>(
      Kind::Read, [id](Store& store) -> Result { return store.attempts(id); });
}

base::Task<std::expected<std::uint64_t, SpoolError>> SqliteSpool::change(ports::QueueFilter filter,
                                                                         ports::QueueAction action,
                                                                         base::WallTime now) {
  using Result = std::expected<std::uint64_t, SpoolError>;
  co_return co_await ask<std::uint64_t>(
      Kind::Record, [filter = std::move(filter), action, now](Store& store) -> Result {
        return store.change(filter, action, now);
      });
}

base::Task<std::expected<ports::QueueTotals, SpoolError>> SqliteSpool::totals() {
  using Result = std::expected<ports::QueueTotals, SpoolError>;
  co_return co_await ask<ports::QueueTotals>(Kind::Read,
                                             [](Store& store) -> Result { return store.totals(); });
}

}  // namespace relay::spool
