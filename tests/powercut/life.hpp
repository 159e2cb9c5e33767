// A life of the queue: requests, several at a time so that commits are shared, and the record of
// requests and answers.
#pragma once

#include <random>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/spool/sqlite_spool.hpp"
#include "tests/powercut/simulated_disk.hpp"

namespace relay::powercut {

class Life {
 public:
  Life(SimulatedDisk& disk, spool::SqliteSpool& spool, std::uint64_t seed)
      : disk_(disk), spool_(spool), random_(seed) {}

 protected:
  using State = Fact::State;
  using Kind = Fact::Kind;

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }

  /// Takes one of them out, so that no other request acts on it meanwhile; nullopt: there is none.
  std::optional<mail::CopyId> take(std::vector<mail::CopyId>& copies);

  void note(Kind kind, const mail::CopyId& copy, State state = State::Waiting,
            const mail::MessageId& dsn = {});

  /// A message with copies whose targets no other has.
  ports::NewMessage message(std::size_t copies, std::string content);
  std::string content(std::size_t most);

  /// Stores what is left of it and says so; held copies go to held_.
  base::Task<> commit(ports::NewMessage made);

  template <class... Tasks>
  void together(Tasks... tasks) {
    std::vector<base::Task<>> all;
    (all.push_back(std::move(tasks)), ...);
    run_all(std::move(all));
  }

  static void require(bool good, const char* what);

  SimulatedDisk& disk_;
  spool::SqliteSpool& spool_;
  std::mt19937_64 random_;
  std::vector<mail::CopyId> waiting_;
  std::vector<mail::CopyId> held_;
  std::vector<mail::CopyId> large_;
  std::vector<mail::MessageId> owed_;

 private:
  mail::Handling handling(const mail::MessageId& id, std::uint16_t index);
  void run_all(std::vector<base::Task<>> tasks);

  boost::asio::io_context io_;
};

}  // namespace relay::powercut
