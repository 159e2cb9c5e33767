// Fills the queue of a relay that is not running, as it would look after hours of trouble:
//
//   fill_queue QUEUE_DB MESSAGES [--destinations 10000] [--size 1024] [--due-now N]
//
// Each message has one copy that was tried once, was put off by its next hop, and is due at some
// moment between one and five hours from now; the last N are due at once and were never tried.
// Schema and rows are the spool's own. Many messages share a transaction, which is all that differs
// from a queue that has grown by itself.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "relay/base/sha256.hpp"
#include "relay/spool/opened_database.hpp"
#include "relay/spool/spool_folder.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/support/mailbox.hpp"

namespace {

using namespace relay;
using namespace std::chrono_literals;

constexpr std::uint64_t kPerTransaction = 5000;
constexpr std::uint64_t kPerCheckpoint = 20 * kPerTransaction;

struct Options {
  std::string path;
  std::uint64_t messages = 0;
  std::uint64_t destinations = 10'000;
  std::size_t size = 1024;
  std::uint64_t due_now = 0;
};

base::WallTime wall_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

using support::mailbox;

class Filler {
 public:
  Filler(spool::OpenedDatabase& queue, const Options& options)
      : queue_(queue), options_(options), now_(wall_now()) {
    content_ = "From: <ann@sender.test>\r\nTo: <user@fwd.test>\r\nSubject: waiting\r\n\r\n";
    while (content_.size() < options.size) content_ += std::string(76, 'w') + "\r\n";
    digest_ = base::sha256(content_);
  }

  void run() {
    // Due times are in no order, so neither is their index: it is to stay in memory meanwhile.
    queue_.connection->execute("PRAGMA cache_size = -1048576");
    // A power cut meanwhile costs the measurement, not mail.
    queue_.connection->execute("PRAGMA synchronous = OFF");
    for (std::uint64_t number = 0; number < options_.messages;) {
      const std::uint64_t end = std::min(number + kPerTransaction, options_.messages);
      queue_.transactions->begin();
      for (; number < end; ++number) add(number);
      queue_.transactions->commit();
      if (number % kPerCheckpoint == 0) {
        queue_.connection->execute("PRAGMA wal_checkpoint(PASSIVE)");
      }
    }
    queue_.connection->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 private:
  void add(std::uint64_t number) {
    const bool due_now = number + options_.due_now >= options_.messages;
    ports::NewMessage made;
    // Accepted one after the other in the last hour, so that ids grow as in a running relay.
    const auto age = 1h * static_cast<double>(options_.messages - number) /
                     static_cast<double>(options_.messages);
    const base::WallTime received =
        now_ - std::chrono::duration_cast<std::chrono::milliseconds>(age);
    made.message.id = mail::MessageId::generate(received);
    made.message.reverse_path = mail::ReversePath(mailbox("ann@sender.test"));
    made.message.client = {"192.0.2.1", 25, "mx.sender.test", true, "TLSv1.3", "X"};
    made.message.trace_fields = "Received: from mx.sender.test by mx.relay.test; fill_queue\r\n";
    made.message.size = content_.size();
    made.content_sha256 = digest_;
    made.content = content_;
    made.routes.push_back(
        {.original = mail::ForwardPath(mailbox("user@fwd.test")),
         .target = mailbox(due_now ? "target@dest.test"
                                   : fmt::format("u@d{}.test", number % options_.destinations)),
         .reverse_path = mail::ReversePath(mailbox("SRS0=aaaa=bb=sender.test=ann@relay.test"))});
    const auto cut = spool::ContentCut::of(made);
    if (!queue_.tables->acceptance.accept(made, *cut, received)) {
      throw std::runtime_error("refused");
    }
    if (!due_now) put_off(made.message.id, received);
  }

  void put_off(const mail::MessageId& id, base::WallTime received) {
    mail::DeliveryAttempt attempt;
    attempt.at = received;
    attempt.host = "mx.destination.test";
    attempt.address = "192.0.2.25";
    attempt.port = 25;
    attempt.stage = mail::Stage::RcptTo;
    attempt.code = 451;
    attempt.status = {4, 2, 1};
    attempt.text = "4.2.1 come again";
    const ports::CopyUpdate update{
        .index = 0, .attempts_before = 0, .retry_after = later(), .attempts = {attempt}};
    static_cast<void>(queue_.tables->outcomes.record({.id = id, .copies = {update}}, now_));
  }

  std::chrono::milliseconds later() {
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(3'600'000, 18'000'000)(random_));
  }

  spool::OpenedDatabase& queue_;
  const Options& options_;
  const base::WallTime now_;
  std::string content_;
  std::string digest_;
  std::mt19937_64 random_{2026};  // NOLINT: the same queue each time
};

bool read_option(Options& options, std::string_view name, const char* value) {
  const std::uint64_t number = std::strtoull(value, nullptr, 10);
  if (name == "--destinations") {
    options.destinations = number;
  } else if (name == "--size") {
    options.size = number;
  } else if (name == "--due-now") {
    options.due_now = number;
  } else {
    return false;
  }
  return true;
}

int fill(const Options& options) {
  if (const auto made = spool::prepare_folder(options.path, false); !made) {
    fmt::print(stderr, "{}\n", made.error());
    return 1;
  }
  const fakes::FakeClock clock(wall_now());
  auto queue = spool::OpenedDatabase::open(options.path, clock);
  if (!queue) {
    fmt::print(stderr, "{}\n", queue.error());
    return 1;
  }
  const auto begin = std::chrono::steady_clock::now();
  Filler(*queue, options).run();
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{} messages in {:.1f} s, {:.0f}/s\n", options.messages, seconds,
             static_cast<double>(options.messages) / seconds);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  bool good = count > 2;
  if (good) {
    options.path = arguments[1];
    options.messages = std::strtoull(arguments[2], nullptr, 10);
  }
  for (int i = 3; i < count && good; i += 2) {
    good = i + 1 < count && read_option(options, arguments[i], arguments[i + 1]);
  }
  if (!good || options.destinations == 0) {
    std::fputs(
        "usage: fill_queue QUEUE_DB MESSAGES [--destinations N] [--size OCTETS]"
        " [--due-now N]\n",
        stderr);
    return 2;
  }
  return fill(options);
}
