#include "tests/powercut/workload.hpp"

#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <unistd.h>

#include "relay/base/sha256.hpp"
#include "relay/spool/sqlite_spool.hpp"
#include "tests/source_dir.hpp"

namespace relay::powercut {

namespace {

namespace fs = std::filesystem;
using mail::RecipientState;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

mail::Mailbox mailbox(const std::string& text) { return *mail::Mailbox::parse(text); }

class Life {
 public:
  Life(SimulatedDisk& disk, spool::SqliteSpool& spool, std::uint64_t seed)
      : disk_(disk), spool_(spool), random_(seed) {}

  void run() {
    for (int phase = 0; phase < 3; ++phase) {
      for (int round = 0; round < 7; ++round) {
        together_of(accept(1), accept(2), accept(1 + random_() % 3));
        if (round % 3 == 0) together_of(accept_large(), accept_large(), abandon_large());
        if (round % 3 == 1) replace_large();
        if (round % 3 == 2) together_of(finish_large());
        together_of(finish_one(), finish_one(), finish_one(), accept(1));
        together_of(finish_one(), finish_one(), finish_one(), finish_one());
      }
      // Idle for long enough that the log is folded into the database.
      std::this_thread::sleep_for(std::chrono::milliseconds(1300));
    }
  }

 private:
  struct Waiting {
    mail::MessageId id;
    std::uint16_t index;
  };

  ports::NewMessage message(std::size_t copies, const std::string& content) {
    ports::NewMessage made;
    made.message.id = mail::MessageId::generate(kNow);
    made.message.received_at = kNow;
    made.message.reverse_path = mail::ReversePath(mailbox("ann@sender.example"));
    made.message.trace_fields = "Received: x\r\n";
    made.message.seal_fields = seal_of(made.message.id);
    made.message.sender_authenticated = random_() % 2 == 0;
    made.message.size = content.size();
    made.content_sha256 = base::sha256(content);
    made.first_due = kNow;
    for (std::size_t i = 0; i < copies; ++i) {
      made.routes.push_back({.index = static_cast<std::uint16_t>(i),
                             .original = mail::ForwardPath(mailbox("info@fwd.example")),
                             .target = mailbox("t" + std::to_string(i) + "@x.example"),
                             .reverse_path = mail::ReversePath(mailbox("srs@fwd.example")),
                             .handling = handling(made.message.id, i)});
    }
    return made;
  }

  mail::Handling handling(const mail::MessageId& id, std::size_t index) {
    const auto draw = random_() % 4;
    if (draw == 0) return {};
    return {.seal = true,
            .risk_pool = draw == 1,
            .new_author = false,
            .reason = reason_of(id, static_cast<std::uint16_t>(index))};
  }

  std::string content() {
    std::string text = "Subject: x\r\n\r\n";
    for (std::size_t n = random_() % 6000; n > 0; --n)
      text += static_cast<char>('a' + random_() % 26);
    return text;
  }

  /// The 250 follows the commit, as in inbound/acceptance.
  base::Task<> accept(std::size_t copies) {
    auto made = message(copies, "");
    made.last_chunk = content();
    made.message.size = made.last_chunk.size();
    made.content_sha256 = base::sha256(made.last_chunk);
    const auto id = made.message.id;
    made.tokens.push_back(
        {id.to_string(), made.message.reverse_path, kNow + std::chrono::days(12), "192.0.2.0/24"});
    const auto proof = co_await spool_.commit(std::move(made));
    if (!proof) throw std::runtime_error("the commit failed");
    acknowledged(id, copies);
    disk_.note(Fact::TokenGiven, id);
  }

  base::Task<> accept_large() {
    // One after the other in the same place must not look alike.
    const char fill = static_cast<char>('a' + random_() % 26);
    const std::string all(ports::Spool::kChunkOctets + random_() % 5000, fill);
    auto made = message(1, all);
    const auto id = made.message.id;
    co_await spool_.append(id, 0, all.substr(0, ports::Spool::kChunkOctets));
    made.last_chunk = all.substr(ports::Spool::kChunkOctets);
    const auto proof = co_await spool_.commit(std::move(made));
    if (!proof) throw std::runtime_error("the commit failed");
    disk_.note(Fact::Acknowledged, id, 1);
    large_.push_back({id, 0});
  }

  /// After a commit that many shared the spool gathers what comes next: then the end of the old and
  /// the beginning of the new share one.
  void replace_large() {
    together_of(accept(1), accept(1), accept(1), accept(1), accept(1), accept(1));
    together_of(finish_large(), finish_large(), accept_large());
  }

  /// Where a big message lay, another is soon written: not before the end of the first is on the
  /// disk.
  base::Task<> finish_large() {
    if (large_.empty()) co_return;
    const Waiting copy = large_.back();
    large_.pop_back();
    co_await finish(copy, 0);
  }

  /// A client that goes away in the middle: others soon write where its content lay.
  base::Task<> abandon_large() {
    const auto id = mail::MessageId::generate(kNow);
    co_await spool_.append(id, 0, std::string(ports::Spool::kChunkOctets, 'D'));
    spool_.discard(id);
  }

  void acknowledged(const mail::MessageId& id, std::size_t copies) {
    disk_.note(Fact::Acknowledged, id, static_cast<std::uint16_t>(copies));
    for (std::size_t i = 0; i < copies; ++i) {
      waiting_.push_back({id, static_cast<std::uint16_t>(i)});
    }
  }

  /// One copy is tried: delivered, deferred, or failed with a DSN in the same transaction.
  base::Task<> finish_one() {
    if (waiting_.empty()) co_return;
    const std::size_t at = random_() % waiting_.size();
    const Waiting copy = waiting_[at];
    waiting_[at] = waiting_.back();
    waiting_.pop_back();
    co_await finish(copy, random_() % 10);
  }

  base::Task<> finish(Waiting copy, std::uint64_t draw) {
    ports::Update update{.id = copy.id, .recipients = {}, .bounces = {}};
    ports::RecipientUpdate change;
    change.index = copy.index;
    change.attempts = 1;
    change.next_due = kNow;
    change.attempt.at = kNow;
    change.state = draw < 6   ? RecipientState::Delivered
                   : draw < 8 ? RecipientState::Waiting
                              : RecipientState::Failed;
    if (change.state == RecipientState::Delivered) {
      disk_.note(Fact::RemoteAccepted, copy.id, copy.index);
    }
    mail::MessageId dsn;
    if (change.state == RecipientState::Failed) {
      auto bounce = message(1, "");
      bounce.last_chunk = "the DSN";
      bounce.message.size = bounce.last_chunk.size();
      bounce.content_sha256 = base::sha256(bounce.last_chunk);
      dsn = bounce.message.id;
      disk_.note(Fact::Ending, copy.id, copy.index, dsn);
      update.bounces.push_back(std::move(bounce));
    }
    update.recipients.push_back(change);
    const auto recorded = co_await spool_.record(std::move(update));
    if (!recorded) throw std::runtime_error("the record failed");
    if (change.state == RecipientState::Waiting) {
      waiting_.push_back(copy);
    } else {
      disk_.note(Fact::Recorded, copy.id, copy.index);
    }
    if (change.state == RecipientState::Failed) acknowledged(dsn, 1);
  }

  void together(std::vector<base::Task<>> tasks) {
    std::vector<std::future<void>> ends;
    for (auto& task : tasks) {
      ends.push_back(boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future));
    }
    const auto work = boost::asio::make_work_guard(io_);
    io_.restart();
    for (auto& end : ends) {
      while (end.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        io_.run_one_for(std::chrono::milliseconds(20));
      }
      end.get();
    }
  }

  template <class... Tasks>
  void together_of(Tasks... tasks) {
    std::vector<base::Task<>> all;
    (all.push_back(std::move(tasks)), ...);
    together(std::move(all));
  }

  SimulatedDisk& disk_;
  spool::SqliteSpool& spool_;
  std::mt19937_64 random_;
  boost::asio::io_context io_;
  std::vector<Waiting> waiting_;
  std::vector<Waiting> large_;
};

/// What an older program left behind. Its messages are never finished in this life.
void begin_with_version1(SimulatedDisk& disk, const std::string& database) {
  {
    std::ostringstream sql;
    sql << std::ifstream(RELAY_SOURCE_DIR "/tests/spool/data/version1.sql").rdbuf();
    spool::Connection connection(database);
    connection.execute(sql.str().c_str());
  }
  const auto first = mail::MessageId::make(kNow, {1, 1, 1, 1, 1, 1});
  disk.note(Fact::Acknowledged, first, 3);
  disk.note(Fact::Recorded, first, 0);
  disk.note(Fact::Acknowledged, mail::MessageId::make(kNow, {2, 2, 2, 2, 2, 2}), 1);
}

}  // namespace

std::string seal_of(const base::Ulid& id) { return "ARC-Seal: " + id.to_string() + "\r\n"; }

std::string reason_of(const base::Ulid& id, std::uint16_t index) {
  return id.to_string() + " " + std::to_string(index);
}

Recording record_workload(std::uint64_t seed) {
  const fs::path folder =
      fs::temp_directory_path() / ("srs-relay-power-cut-" + std::to_string(::getpid()));
  SimulatedDisk disk;
  Recording recording;
  recording.database = (folder / "queue.db").string();
  if (seed % 2 == 1) begin_with_version1(disk, recording.database);
  {
    auto spool = spool::SqliteSpool::open({.path = recording.database});
    if (!spool) throw std::runtime_error(spool.error());
    Life(disk, **spool, seed).run();
    (*spool)->close();
  }
  fs::remove_all(folder);
  recording.operations = disk.take_log();
  return recording;
}

}  // namespace relay::powercut
