// A queue whose file was damaged, octet by octet as the input says. Every read gives what was
// accepted, or an error; nothing crashes, and no garbage is given out.
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include <unistd.h>

#include "relay/spool/opened_database.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fuzz/oracle.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/support/read_file.hpp"

using namespace relay;
using fuzz::require;

namespace {

using spool::kNow;

struct Good {
  std::string file;                                ///< a queue with some messages
  std::string beside;                              ///< the file with the content of the big one
  std::map<mail::MessageId, std::string> content;  ///< of each, the first chunk
};

std::string path() {
  static const std::string made = "/dev/shm/srs-relay-fuzz-" + std::to_string(::getpid()) + ".db";
  return made;
}

void remove_files() {
  for (const char* end : {"", "-wal", "-shm", "-journal", "-content"})
    std::remove((path() + end).c_str());
}

ports::NewMessage message(const std::string& content, unsigned char seed) {
  auto made = spool::a_message(content);
  // Far apart, as real ones are: no damage turns one into another.
  made.message.id =
      mail::MessageId::make(kNow, {seed, static_cast<unsigned char>(seed * 37), seed,
                                   static_cast<unsigned char>(seed * 91), seed, seed});
  made.message.trace_fields = "Received: x\r\n";
  made.message.seal_fields = "ARC-Seal: i=1; b=x\r\n";
  made.message.rewritten_head = "Received: x\r\nFrom: a@fwd.example\r\n";
  made.message.header_octets = 20;
  made.message.sender_authenticated = seed % 2 == 0;
  made.routes.front().handling = {
      .seal = seed % 2 == 0, .risk_pool = seed == 3, .new_author = seed == 4, .reason = "a reason"};
  return made;
}

fakes::FakeClock& the_clock() {
  static fakes::FakeClock clock(kNow);
  return clock;
}

void store(spool::OpenedDatabase& queue, const ports::NewMessage& message) {
  const auto cut = spool::ContentCut::of(message);
  require(cut.has_value(), "its size is right");
  queue.transactions->begin();
  require(queue.tables->acceptance.accept(message, *cut, kNow).has_value(), "it fits");
  queue.transactions->commit();
}

/// The first copy has failed, and its notice is owed.
void fail(spool::OpenedDatabase& queue, const mail::MessageId& id) {
  auto update = spool::outcome(0, mail::RecipientState::Failed);
  update.notify = ports::Notify::OfFailure;
  queue.transactions->begin();
  require(queue.tables->outcomes.record({.id = id, .copies = {update}}, kNow).has_value(),
          "it is recorded");
  queue.transactions->commit();
}

Good make_good() {
  Good good;
  remove_files();
  {
    auto opened = spool::OpenedDatabase::open(path(), the_clock());
    require(opened.has_value(), "a new queue opens");
    for (unsigned char i = 1; i <= 4; ++i) {
      const std::string content(i * 3000U, static_cast<char>('a' + i));
      const auto made = message(content, i);
      good.content.emplace(made.message.id, content);
      store(*opened, made);
      if (i == 1) fail(*opened, made.message.id);
    }
    const std::string chunk(ports::kChunkOctets, 'z');
    const auto big = message(chunk, 9);
    store(*opened, big);
    good.content.emplace(big.message.id, chunk);
  }
  good.file = support::read_file(path());
  good.beside = support::read_file(spool::ContentFile::path_of(path()));
  require(good.beside.size() == ports::kChunkOctets, "content lies beside the database");
  return good;
}

/// Or what it asks for is found to be damaged.
template <class Work>
void try_to(const Work& work) {
  try {
    work();
  } catch (const spool::DamagedValue&) {  // NOLINT(bugprone-empty-catch): that is an answer
  }
}

void read_all(spool::Tables& tables, const Good& good) {
  static_cast<void>(tables.due.due(std::nullopt, 100, kNow));
  const auto lanes = tables.due.waiting_lanes(std::nullopt, 100, kNow);
  require(lanes.size() <= 10, "no lane is listed twice");
  for (const auto& lane : lanes) {
    static_cast<void>(tables.due.due_in_lane(lane.key, std::nullopt, 100, kNow));
  }
  static_cast<void>(tables.walk.list({}, std::nullopt, 100));
  static_cast<void>(tables.notices.due(kNow + std::chrono::hours(1), 100));
  for (const auto& [id, content] : good.content) {
    try_to([&] {
      const auto queued = tables.reader.load(id, {0});
      if (!queued) return;
      for (const auto& copy : queued->recipients) {
        require(!mail::name(copy.route.handling).empty(), "how it leaves can be said");
      }
    });
    try_to([&] { static_cast<void>(tables.reports.owed(id)); });
    static_cast<void>(tables.walk.copies(id));
    static_cast<void>(tables.walk.attempts(id));
    const auto read = tables.contents.read(id, 0);
    require(!read || !spool::is_sound(id, 0, *read) || read->octets == content,
            "what is read is what was accepted");
  }
}

/// Failures that cannot be reported are left to the operator, who drops everything.
void drop_all(spool::OpenedDatabase& queue, const Good& good) {
  queue.transactions->begin();
  for (const auto& [id, content] : good.content) queue.tables->reports.hold_unreadable(id);
  static_cast<void>(
      queue.tables->changes.change({}, ports::QueueAction::Drop, "damaged", std::nullopt));
  queue.transactions->commit();
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  static const Good good = make_good();
  // Four octets each: a position and what is to stand there.
  std::string damaged = good.file;
  for (std::size_t i = 0; i + 4 <= input.size(); i += 4) {
    const auto octet = [&](std::size_t n) -> std::size_t {
      return static_cast<unsigned char>(input[i + n]);
    };
    const std::size_t at = (octet(0) << 16U) | (octet(1) << 8U) | octet(2);
    damaged[at % damaged.size()] = input[i + 3];
  }
  remove_files();
  std::ofstream(path(), std::ios::binary) << damaged;
  std::ofstream(spool::ContentFile::path_of(path()), std::ios::binary) << good.beside;
  try {
    auto opened = spool::OpenedDatabase::open(path(), the_clock());
    if (opened) {
      read_all(*opened->tables, good);
      drop_all(*opened, good);
    } else {
      require(!opened.error().empty(), "a refusal has a reason");
    }
  } catch (const spool::DatabaseError&) {  // damage that shows when it is met
  }
  remove_files();
}
