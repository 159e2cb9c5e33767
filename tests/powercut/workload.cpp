#include "tests/powercut/workload.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/powercut/operator_life.hpp"
#include "tests/source_dir.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/support/read_file.hpp"

namespace relay::powercut {

namespace {

namespace fs = std::filesystem;
using spool::kNow;

class WholeLife final : public OperatorLife {
 public:
  using OperatorLife::OperatorLife;

  void run() {
    for (int phase = 0; phase < 3; ++phase) {
      for (int round = 0; round < 7; ++round) {
        together(accept(1), accept(2), accept(1 + draw(3)), visit());
        if (round % 3 == 0) together(accept_large(), accept_large(), abandon_large());
        if (round % 3 == 1) replace_large();
        if (round % 3 == 2) together(finish_large(), pause_or_resume());
        together(finish_one(), finish_one(), finish_one(), accept(1), visit(), tell_one());
        together(hold_one(), finish_one(), release_one(), end_one(), retry_all());
        together(finish_one(), tell_one(), finish_one(), consent_to_all(), visit());
        if (round % 2 == 0) together(find_damaged(), end_one(), pause_or_resume());
        together(visit());
      }
      // Idle for long enough that the log is folded into the database.
      std::this_thread::sleep_for(std::chrono::milliseconds(1300));
    }
  }
};

/// Most of the file gets unused, as after a flood, and the next start gives it back: cut at every
/// moment of that, too.
void shrink(const std::string& database, const ports::Clock& clock) {
  for (const bool shrinks : {false, true}) {
    const auto opened =
        spool::OpenedDatabase::open(database, clock, {}, shrinks ? 0 : spool::kShrinkAbove);
    if (!opened) throw std::runtime_error(opened.error());
    const bool shrank = opened->report.given_back > 0;
    if (shrank != shrinks) throw std::runtime_error("it has not given back what it no longer uses");
    if (shrinks) return;
    opened->connection->execute(
        "BEGIN; CREATE TABLE flood (octets BLOB); INSERT INTO flood VALUES (zeroblob(3000000)); "
        "DROP TABLE flood; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  }
}

/// The queue of an older program. Its messages are never finished in this life.
void begin_with_version1(SimulatedDisk& disk, const std::string& database) {
  {
    const std::string sql = support::read_source("tests/spool/data/version1.sql");
    spool::Connection connection(database);
    connection.execute(sql.c_str());
  }
  using Kind = Fact::Kind;
  using State = Fact::State;
  disk.note({.kind = Kind::Acknowledged,
             .id = mail::MessageId::make(kNow, {1, 1, 1, 1, 1, 1}),
             .states = {State::Ended, State::Waiting, State::Held}});
  disk.note({.kind = Kind::Acknowledged,
             .id = mail::MessageId::make(kNow, {2, 2, 2, 2, 2, 2}),
             .states = {State::Waiting}});
}

}  // namespace

std::string seal_of(const base::Ulid& id) { return "ARC-Seal: " + id.to_string() + "\r\n"; }

std::string reason_of(const base::Ulid& id, std::uint16_t index) {
  return id.to_string() + " " + std::to_string(index);
}

Recording record_workload(std::uint64_t seed, Remembering* remembering) {
  const fs::path folder =
      fs::temp_directory_path() / ("srs-relay-power-cut-" + std::to_string(::getpid()));
  SimulatedDisk disk(remembering);
  Recording recording;
  recording.database = (folder / "queue.db").string();
  if (seed % 2 == 1) begin_with_version1(disk, recording.database);
  {
    const fakes::FakeClock clock(kNow);
    auto spool = spool::SqliteSpool::open({.path = recording.database, .clock = &clock});
    if (!spool) throw std::runtime_error(spool.error());
    WholeLife(disk, **spool, seed).run();
    (*spool)->close();
    shrink(recording.database, clock);
  }
  fs::remove_all(folder);
  recording.operations = disk.take_log();
  return recording;
}

}  // namespace relay::powercut
