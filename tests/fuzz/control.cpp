// Requests on the control socket. Every request is answered in lines of JSON, none throws, and no
// text that could deceive a terminal comes back.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include "relay/ops/admin_endpoint.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fuzz/oracle.hpp"
#include "tests/ops/scripted_queue.hpp"

using namespace relay;
using fuzz::require;

namespace {

struct OneLineLog final : base::Log {
  void write(base::Event event) override {
    require(std::move(event).line().find('\n') == std::string::npos, "an event is one line");
  }
};

struct NoDelivery final : ports::DeliveryControl {
  std::size_t withdraw(const std::vector<mail::CopyId>&) override { return 0; }

  void wake() override {}

  void set_pauses(std::vector<ports::PauseRule>) override {}

  std::optional<ports::Waiting> why_waiting(const mail::CopyId&, const ports::LaneKey&,
                                            const std::string&) const override {
    return std::nullopt;
  }
};

struct Answer final : ops::AnswerSink {
  base::Task<bool> take(std::string more) override {
    lines += more;
    co_return true;
  }

  std::string lines;
};

/// One message that is there, with the whole input in everything a stranger writes.
void fill(ops::ScriptedQueue& queue, std::string_view input) {
  ports::QueueRow row;
  row.copy.message = *mail::MessageId::parse("01JD7ZABCDEFGHJKMNPQRSTVWX");
  row.helo = row.message_id = row.target = row.alias = row.mail_from = input;
  row.attempts = 1;
  row.last = {.at = queue.now(), .host = std::string(input), .code = 451, .text = row.helo};
  queue.history[row.copy.message] = {{0, row.last}};
  queue.chunks[row.copy.message] = {std::string(input), std::string(input)};
  queue.rows.push_back(std::move(row));
}

void check(const std::string& answer) {
  require(answer.ends_with('\n'), "every request is answered");
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t end = answer.find('\n', at);
    const std::string line = answer.substr(at, end - at);
    boost::system::error_code error;
    const auto value = boost::json::parse(line, error);
    require(!error && value.is_object(), "in lines of JSON");
    for (const char c : line) require(static_cast<unsigned char>(c) >= 0x20, "without controls");
    if (const auto* text = value.get_object().if_contains("text")) {
      for (const char c : text->as_string()) {
        const auto octet = static_cast<unsigned char>(c);
        require((octet >= 0x20 && octet != 0x7F) || c == '\n' || c == '\t', "nothing is obeyed");
      }
    }
    at = end + 1;
  }
}

base::Task<ops::ReloadResult> no_reload() { co_return ops::ReloadResult(); }

}  // namespace

RELAY_FUZZ_TARGET(input) {
  fakes::FakeClock clock;
  ops::ScriptedQueue queue(clock);
  fill(queue, input);
  NoDelivery delivery;
  OneLineLog log;
  ops::Desk desk(
      {.queue = queue,
       .delivery = delivery,
       .clock = clock,
       .log = log,
       .status = [] { return ops::DaemonStatus(); },
       .reload = [](const ops::Asker&) { return no_reload(); },
       .expire = [] { return std::chrono::hours(120); },
       .hosts_of_group = [](std::string_view) { return std::vector<ports::HostEnd>(); }});
  ops::AdminEndpoint endpoint(desk);
  const std::string why = R"({"verb":"queue.why","filter":["01JD7Z"],"format":"text"})";
  const std::string show =
      R"({"verb":"queue.show","filter":["01JD7Z"],"content":true,"format":"text"})";
  for (const std::string& request : {why, show, std::string(input)}) {
    boost::asio::io_context io;
    Answer answer;
    bool ended = false;
    boost::asio::co_spawn(io, endpoint.answer(request, std::nullopt, answer),
                          [&](std::exception_ptr e) {
                            require(!e, "no request throws");
                            ended = true;
                          });
    io.run();
    require(ended, "every request ends");
    check(answer.lines);
  }
}
