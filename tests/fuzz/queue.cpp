// Target 19: a queue whose file was damaged, octet by octet as the input says. What is read from it
// is what was accepted, or an error; it never crashes and never gives out garbage.
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include <unistd.h>

#include "relay/spool/opened_database.hpp"
#include "tests/fuzz/oracle.hpp"
#include "tests/spool/a_message.hpp"

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

std::string octets_of(const std::string& file) {
  std::ostringstream octets;
  octets << std::ifstream(file, std::ios::binary).rdbuf();
  return octets.str();
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

Good make_good() {
  Good good;
  remove_files();
  {
    auto opened = spool::OpenedDatabase::open(path(), {});
    require(opened.has_value(), "a new queue opens");
    for (unsigned char i = 1; i <= 4; ++i) {
      const std::string content(i * 3000U, static_cast<char>('a' + i));
      auto made = message(content, i);
      good.content.emplace(made.message.id, content);
      opened->connection->execute("BEGIN IMMEDIATE");
      require(opened->store->insert(made, spool::last_chunk_digest(made)).has_value(), "it fits");
      opened->connection->execute("COMMIT");
    }
    const std::string chunk(ports::Spool::kChunkOctets, 'z');
    auto big = message(chunk, 9);
    big.last_chunk.clear();
    const std::string digest = spool::chunk_digest(big.message.id, 0, chunk);
    opened->connection->execute("BEGIN IMMEDIATE");
    opened->store->append(big.message.id, 0, {.octets = chunk, .digest = digest});
    require(opened->store->insert(big, "").has_value(), "the big one fits");
    opened->connection->execute("COMMIT");
    good.content.emplace(big.message.id, chunk);
  }
  good.file = octets_of(path());
  good.beside = octets_of(spool::ContentFile::path_of(path()));
  require(good.beside.size() == ports::Spool::kChunkOctets, "content lies beside the database");
  return good;
}

void read_all(spool::Store& store, const Good& good) {
  for (const auto& item : store.due(kNow, std::nullopt, 100)) static_cast<void>(item);
  static_cast<void>(store.list({}, std::nullopt, 100));
  static_cast<void>(store.totals());
  for (const auto& [id, content] : good.content) {
    if (const auto queued = store.load(id)) {
      for (const auto& copy : queued->recipients) {
        require(!mail::name(copy.route.handling).empty(), "how it leaves can be said");
      }
    }
    static_cast<void>(store.attempts(id));
    const auto read = store.read(id, 0);
    require(!read || !spool::is_sound(id, 0, *read) || read->octets == content,
            "what is read is what was accepted");
  }
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
    auto opened = spool::OpenedDatabase::open(path(), {});
    if (opened) {
      read_all(*opened->store, good);
    } else {
      require(!opened.error().empty(), "a refusal has a reason");
    }
  } catch (const spool::DatabaseError&) {  // damage that shows when it is met
  }
  remove_files();
}
