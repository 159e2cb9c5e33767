// A connection whose client follows a script, and its place in the gate: for tests of the parts of
// a session.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "relay/inbound/client_connection.hpp"
#include "relay/inbound/gate.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/scripted_stream.hpp"
#include "tests/support/run_task.hpp"

namespace relay::inbound {

class Connected : public testing::Test {
 protected:
  explicit Connected(const std::string& peer = "192.0.2.7", const Limits& wanted = {})
      : limits(wanted),
        place(*gate.enter(base::origin_of(peer), limits)),
        connection(std::make_unique<fakes::ScriptedStream>(wire, peer), io.get_executor(), clock,
                   gate, place, limits) {}

  /// Runs the task while so much time passes.
  void run_for(std::chrono::seconds span, base::Task<> task) {
    boost::asio::co_spawn(io, std::move(task), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
    io.restart();
    io.poll();
    clock.run_for(io, span);
  }

  /// What came in the next piece of the script is in the buffer of the connection then.
  void read() {
    EXPECT_TRUE(
        support::run_task(io, connection.read_more(connection.after(std::chrono::seconds(1)))));
  }

  fakes::FakeClock clock;
  boost::asio::io_context io;
  const Limits limits;
  Gate gate{clock};
  Gate::Ticket place;
  std::shared_ptr<fakes::Wire> wire = std::make_shared<fakes::Wire>();
  ClientConnection connection;
};

}  // namespace relay::inbound
