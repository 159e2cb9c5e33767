#include "tests/powercut/life.hpp"

#include <future>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "relay/ports/intake_queue.hpp"
#include "tests/powercut/workload.hpp"
#include "tests/spool/a_message.hpp"

namespace relay::powercut {

std::optional<mail::CopyId> Life::take(std::vector<mail::CopyId>& copies) {
  if (copies.empty()) return std::nullopt;
  std::swap(copies[draw(copies.size())], copies.back());
  const mail::CopyId taken = copies.back();
  copies.pop_back();
  return taken;
}

void Life::note(Kind kind, const mail::CopyId& copy, State state, const mail::MessageId& dsn) {
  disk_.note({.kind = kind, .id = copy.message, .index = copy.index, .state = state, .dsn = dsn});
}

ports::NewMessage Life::message(std::size_t copies, std::string content) {
  ports::NewMessage made = spool::message_to({}, content);
  const mail::MessageId& id = made.message.id;
  made.message.seal_fields = seal_of(id);
  made.resend_key = base::sha256(id.to_string());
  made.message.sender_authenticated = draw(2) == 0;
  for (std::size_t i = 0; i < copies; ++i) {
    const auto index = static_cast<std::uint16_t>(i);
    made.routes.push_back(
        spool::route_to(index, "t" + std::to_string(i) + "@" + id.to_string() + ".example"));
    made.routes.back().handling = handling(id, index);
    made.routes.back().held = draw(8) == 0;
    if (made.routes.back().held && draw(2) == 0) made.routes.back().awaits = "a@x.example";
  }
  return made;
}

mail::Handling Life::handling(const mail::MessageId& id, std::uint16_t index) {
  const auto kind = draw(4);
  if (kind == 0) return {};
  return {
      .seal = true, .risk_pool = kind == 1, .new_author = false, .reason = reason_of(id, index)};
}

std::string Life::content(std::size_t most) {
  std::string text = "Subject: x\r\n\r\n";
  for (std::size_t n = draw(most); n > 0; --n) text += static_cast<char>('a' + draw(26));
  return text;
}

base::Task<> Life::commit(ports::NewMessage made) {
  const auto id = made.message.id;
  Fact acknowledged{.kind = Kind::Acknowledged, .id = id};
  for (const mail::Route& route : made.routes) {
    acknowledged.states.push_back(route.held ? State::Held : State::Waiting);
  }
  const bool token = !made.tokens.empty();
  const auto proof = co_await spool_.intake().commit(std::move(made));
  require(proof.has_value(), "the commit");
  disk_.note(acknowledged);
  if (token) disk_.note({.kind = Kind::TokenGiven, .id = id});
  disk_.note({.kind = Kind::Remembered, .id = id});
  for (std::uint16_t index = 0; index < acknowledged.states.size(); ++index) {
    const bool held = acknowledged.states[index] == State::Held;
    (held ? held_ : waiting_).push_back({id, index});
  }
}

void Life::run_all(std::vector<base::Task<>> tasks) {
  std::vector<std::future<void>> ends;
  for (auto& task : tasks) {
    ends.push_back(boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future));
  }
  const auto work = boost::asio::make_work_guard(io_);
  io_.restart();
  for (auto& end : ends) {
    while (end.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      io_.run_one_for(std::chrono::milliseconds(20));
    }
    end.get();
  }
}

void Life::require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string(what) + " failed");
}

}  // namespace relay::powercut
