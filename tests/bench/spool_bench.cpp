// The cost of durability: the queue on a disk (in TMPDIR), with its writer thread, and messages
// that wait together for one sync. The floor is their content written to a file and synced once.
// Here wall time counts.
#include <chrono>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "relay/base/sha256.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/spool/sqlite_spool.hpp"
#include "tests/bench/texts.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace {

using namespace relay;
namespace asio = boost::asio;
namespace fs = std::filesystem;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A folder of this run, and the file that the floor is measured with.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("srs-relay-bench-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
    file_ = ::open((path_ / "floor").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() {
    ::close(file_);
    fs::remove_all(path_);
  }

  std::string queue() const { return (path_ / "queue.db").string(); }

  void write_and_sync(const std::string& octets) const {
    if (::write(file_, octets.data(), octets.size()) != static_cast<ssize_t>(octets.size()) ||
        ::fdatasync(file_) != 0) {
      throw std::runtime_error("the disk does not take it");
    }
  }

 private:
  const fs::path path_;
  int file_ = -1;
};

class Queue {
 public:
  Queue() {
    auto opened = spool::SqliteSpool::open({.path = folder_.queue(), .clock = &clock_});
    if (!opened) throw std::runtime_error(opened.error());
    spool_ = std::move(*opened);
  }

  /// `fields`: octets of our own header fields.
  ports::NewMessage message(const std::string& content, const std::string& sha256,
                            std::size_t fields) {
    ports::NewMessage made;
    made.message.id = mail::MessageId::generate(kNow);
    made.message.reverse_path = mail::ReversePath(sender_);
    made.message.client = {"192.0.2.1", 4711, "client.example", true, "TLSv1.3", "X"};
    made.message.trace_fields = bench::repeated(bench::header(), fields).substr(0, fields);
    made.message.size = content.size();
    made.content_sha256 = sha256;
    made.content = content;
    made.routes.push_back({.index = 0,
                           .original = mail::ForwardPath(alias_),
                           .target = target_,
                           .reverse_path = mail::ReversePath(sender_)});
    return made;
  }

  /// All wait together.
  void commit(std::vector<ports::NewMessage> messages) {
    for (auto& one : messages) start(committed(std::move(one)));
    wait();
  }

  void record_delivered(const std::vector<mail::MessageId>& ids) {
    for (const auto& id : ids) start(recorded(id));
    wait();
  }

  const Folder& folder() const { return folder_; }

  /// Closes it, so that all of it lies in the database.
  void close() { spool_.reset(); }

 private:
  void start(base::Task<> task) {
    ++open_;
    asio::co_spawn(io_, std::move(task), [this](const std::exception_ptr& thrown) {
      --open_;
      if (thrown) std::rethrow_exception(thrown);
    });
  }

  void wait() {
    const auto work = asio::make_work_guard(io_);
    io_.restart();
    while (open_ > 0) io_.run_one();
  }

  base::Task<> committed(ports::NewMessage message) {
    const auto proof = co_await spool_->intake().commit(std::move(message));
    if (!proof) throw std::runtime_error("not committed");
  }

  base::Task<> recorded(mail::MessageId id) {
    mail::DeliveryAttempt attempt;
    attempt.at = kNow;
    attempt.host = "mx.target.example";
    attempt.code = 250;
    attempt.text = "2.0.0 queued as 4711";
    const ports::CopyUpdate copy{.index = 0,
                                 .state = mail::RecipientState::Delivered,
                                 .end = mail::End::Delivered,
                                 .attempts = {attempt}};
    const auto done = co_await spool_->delivery().record({.id = id, .copies = {copy}});
    if (!done) throw std::runtime_error("not recorded");
  }

  Folder folder_;
  const fakes::FakeClock clock_{kNow};
  std::unique_ptr<spool::SqliteSpool> spool_;
  asio::io_context io_;
  std::size_t open_ = 0;
  const mail::Mailbox sender_ = *mail::Mailbox::parse("bounces+4711@sender.example");
  const mail::Mailbox alias_ = *mail::Mailbox::parse("info@forward.example");
  const mail::Mailbox target_ = *mail::Mailbox::parse("me@target.example");
};

constexpr std::size_t kUsualFields = 1100;  // of a message that is not sealed

enum class Step { Commit, Record };

/// Messages are committed and delivered in turns, so the queue does not grow; one of the two steps
/// is timed.
void spool(benchmark::State& state, Step timed) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  const std::string content = bench::prose(static_cast<std::size_t>(state.range(1)));
  const std::string sha256 = base::sha256(content);
  std::string floor_octets;
  for (std::size_t i = 0; i < batch; ++i) floor_octets += content;
  if (timed == Step::Record) floor_octets = std::string(batch * 256, 'x');
  Queue queue;
  double in_path = 0;
  double in_floor = 0;
  for (auto step : state) {
    std::vector<ports::NewMessage> messages;
    std::vector<mail::MessageId> ids;
    while (messages.size() < batch) {
      messages.push_back(queue.message(content, sha256, kUsualFields));
      ids.push_back(messages.back().message.id);
    }
    const double began = wall_seconds();
    queue.commit(std::move(messages));
    const double committed = wall_seconds();
    queue.record_delivered(ids);
    const double recorded = wall_seconds();
    queue.folder().write_and_sync(floor_octets);
    in_floor += wall_seconds() - recorded;
    const double one = timed == Step::Commit ? committed - began : recorded - committed;
    in_path += one;
    state.SetIterationTime(one);
  }
  const auto messages = state.iterations() * static_cast<std::int64_t>(batch);
  state.SetItemsProcessed(messages);
  if (timed == Step::Commit) {
    state.SetBytesProcessed(messages * static_cast<std::int64_t>(content.size()));
  }
  state.counters["floor_us"] = in_floor / static_cast<double>(state.iterations()) * 1e6;
  state.counters["ratio"] = in_path / in_floor;
}

double file_octets(const std::string& path) {
  std::error_code ignored;
  const auto octets = fs::file_size(path, ignored);
  return ignored ? 0 : static_cast<double>(octets);
}

/// The cost of a message for the disk, by the size of our header fields: pages in the log for each
/// commit and each end, one at a time, and octets of the database for each message that waits. No
/// time is taken.
void disk(benchmark::State& state) {
  constexpr std::size_t kCounted = 100;  // the log is not yet folded into the database
  constexpr std::size_t kWaiting = 2000;
  constexpr double kFrame = 8192 + 24;
  const std::string content = bench::prose(static_cast<std::size_t>(state.range(0)));
  const std::string sha256 = base::sha256(content);
  for (auto step : state) {
    Queue queue;
    const std::string log = queue.folder().queue() + "-wal";
    std::vector<mail::MessageId> ids;
    const auto commit = [&](std::size_t count) {
      std::vector<ports::NewMessage> messages;
      while (messages.size() < count) {
        messages.push_back(
            queue.message(content, sha256, static_cast<std::size_t>(state.range(1))));
        ids.push_back(messages.back().message.id);
      }
      queue.commit(std::move(messages));
    };
    const double empty = file_octets(log);
    for (std::size_t i = 0; i < kCounted; ++i) commit(1);
    const double committed = file_octets(log);
    for (std::size_t i = 0; i < kCounted / 2; ++i) queue.record_delivered({ids[i]});
    const double ended = file_octets(log);
    state.counters["frames_commit"] = (committed - empty) / kFrame / kCounted;
    state.counters["frames_end"] = (ended - committed) / kFrame / (kCounted / 2.0);
    for (std::size_t i = 0; i < kWaiting / 100; ++i) commit(100);
    queue.close();
    state.counters["octets_message"] = file_octets(queue.folder().queue()) / kWaiting;
  }
}

BENCHMARK(disk)
    ->ArgsProduct({{600, 4L * 1024}, {300, 1100, 2500}})
    ->ArgNames({"octets", "fields"})
    ->Iterations(1);
BENCHMARK_CAPTURE(spool, commit, Step::Commit)
    ->ArgsProduct({{1, 10, 100}, {4L * 1024, 100L * 1024}})
    ->ArgNames({"waiting", "octets"})
    ->UseManualTime();
BENCHMARK_CAPTURE(spool, record, Step::Record)
    ->ArgsProduct({{1, 10, 100}, {4L * 1024}})
    ->ArgNames({"waiting", "octets"})
    ->UseManualTime();

}  // namespace
