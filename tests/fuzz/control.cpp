// Target 20: what is said to the control socket. Every request is answered in lines of JSON.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include "relay/ops/admin_endpoint.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

namespace {

struct NoLog final : base::Log {
  void write(base::Event event) override {
    require(std::move(event).line().find('\n') == std::string::npos, "an event is one line");
  }
};

base::Task<> ask(ops::AdminEndpoint& endpoint, std::string request, std::string& answer) {
  answer = co_await endpoint.answer(std::move(request));
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  fakes::FakeClock clock;
  fakes::MemorySpool spool;
  NoLog log;
  ops::AdminEndpoint endpoint({.spool = spool,
                               .clock = clock,
                               .log = log,
                               .status = [] { return ops::DaemonStatus(); },
                               .reload = [] { return ops::ReloadResult(); },
                               .wake_delivery = [] {}});
  boost::asio::io_context io;
  std::string answer;
  bool ended = false;
  boost::asio::co_spawn(io, ask(endpoint, std::string(input), answer), [&](std::exception_ptr e) {
    require(!e, "no request throws");
    ended = true;
  });
  io.run();
  require(ended && answer.ends_with('\n'), "every request is answered");
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t end = answer.find('\n', at);
    boost::system::error_code error;
    boost::json::parse(answer.substr(at, end - at), error);
    require(!error, "in lines of JSON");
    at = end + 1;
  }
}
