#include "tests/simulation/talk.hpp"

#include <array>

#include "relay/base/task.hpp"

namespace relay::simulation {

base::Task<std::string> Talk::read_reply(ports::Stream& stream, base::Deadline deadline) {
  for (;;) {
    for (std::size_t begin = 0;;) {
      const std::size_t end = unread_.find("\r\n", begin);
      if (end == std::string::npos) break;
      if (end >= begin + 4 && unread_[begin + 3] == ' ') {
        std::string reply = unread_.substr(0, end);
        unread_.erase(0, end + 2);
        co_return reply;
      }
      begin = end + 2;
    }
    std::array<char, 512> octets{};
    const auto read = co_await stream.read_some(octets, deadline);
    if (!read) co_return std::string(describe(read.error()));
    unread_.append(octets.data(), *read);
  }
}

base::Task<> Talk::follow(std::vector<std::string> script, std::chrono::seconds patience,
                          std::vector<std::string>& heard) {
  const auto deadline = [&] { return base::Deadline{.at = clock.steady() + patience}; };
  const ports::Endpoint remote{boost::asio::ip::make_address("192.0.2.1"), 25};
  auto connected = co_await network.connect(remote, std::nullopt, deadline());
  if (!connected) {
    heard.emplace_back(describe(connected.error()));
    co_return;
  }
  std::unique_ptr<ports::Stream> stream = std::move(*connected);
  for (std::string& step : script) {
    if (step == "<") {
      heard.push_back(co_await read_reply(*stream, deadline()));
    } else if (step == "TLS") {
      auto secured = co_await network.start_tls(std::move(stream), "mx.x.example",
                                                {mail::TlsLevel::Verify, {}}, deadline());
      heard.emplace_back(secured ? "secured" : describe(secured.error().error));
      if (!secured) co_return;
      stream = std::move(*secured);
    } else if (step.starts_with("wait ")) {
      co_await clock.sleep_until(clock.steady() + std::chrono::seconds(std::stoi(step.substr(5))));
    } else {
      if (step.ends_with('\\')) {
        step.pop_back();
      } else {
        step += "\r\n";
      }
      const auto written = co_await stream->write(step, deadline());
      if (!written) heard.push_back("write: " + std::string(describe(written.error())));
    }
  }
}

std::vector<std::string> Talk::say(std::vector<std::string> script, std::chrono::seconds patience) {
  SeededLoops loops(1, SeededLoops::Order::Any, Random(1));
  std::vector<std::string> heard;
  unread_.clear();
  const auto begun = clock.since_start_ms();
  bool done = false;
  base::spawn_supervised(loops.executor(0), "talk", follow(std::move(script), patience, heard),
                         base::OnCrash::EndTask, [&done] { done = true; });
  for (int step = 0; step < 100'000 && !done; ++step) {
    loops.run_dry(1000);
    if (!done) clock.step();
  }
  took_ = clock.since_start_ms() - begun;
  return heard;
}

}  // namespace relay::simulation
