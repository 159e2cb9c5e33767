// A client that follows a script, right or wrong, and servers that record what they see.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "tests/simulation/network.hpp"
#include "tests/simulation/seeded_loops.hpp"
#include "tests/simulation/server_session.hpp"

namespace relay::simulation {

struct NoteWitness final : Witness {
  void dialled(const Dialled& dialled) override { dials.push_back(dialled); }

  void failed_to_connect(std::uint32_t) override { ++failed_connects; }

  void handshake(std::uint32_t, bool succeeded) override { handshakes.push_back(succeeded); }

  void heard_mail(std::uint32_t, std::uint32_t, std::string_view sender) override {
    senders.emplace_back(sender);
  }

  void heard_rcpt(std::uint32_t, std::uint32_t, std::string_view recipient) override {
    recipients.emplace_back(recipient);
  }

  void heard_dot(std::uint32_t, std::uint32_t, const Content& content,
                 const std::vector<std::string_view>& to, bool took) override {
    ++dots;
    message_ids.emplace_back(content.message_id);
    hashes.push_back(content.body_hash);
    if (!took) return;
    for (const auto recipient : to) taken.emplace_back(recipient);
  }

  void said(const Said& reply) override {
    if (reply.number == 0) return;
    replies.push_back(reply);
    replies.back().recipient = {};
  }

  void fell_silent(std::uint32_t) override { ++silences; }

  void closed(const Closed& how) override { closes.push_back(how); }

  void breached(std::uint32_t, Breach breach, std::string_view) override {
    breaches.push_back(breach);
  }

  std::vector<Dialled> dials;
  int failed_connects = 0;
  std::vector<bool> handshakes;
  std::vector<std::string> senders;
  std::vector<std::string> recipients;
  int dots = 0;
  std::vector<std::string> message_ids;
  std::vector<std::uint64_t> hashes;
  std::vector<std::string> taken;
  std::vector<Said> replies;
  int silences = 0;
  std::vector<Closed> closes;
  std::vector<Breach> breaches;
};

/// A world of one host, at 192.0.2.1.
class Talk {
 public:
  Talk() { host().mood.round_trip = std::chrono::milliseconds{10}; }

  Host& host() { return host_; }

  Mood& mood() { return host_.mood; }

  /// Connects and follows the script: "<" reads a reply, "TLS" shakes hands, "wait 5" waits so many
  /// seconds, all else is written, with CRLF behind it unless it ends with "\\". Returns the
  /// replies that were read, and why the connection ended, if it did.
  std::vector<std::string> say(std::vector<std::string> script,
                               std::chrono::seconds patience = std::chrono::seconds{300});

  std::chrono::milliseconds took() const { return took_; }

  SimClock clock;
  NoteWitness witness;
  Network network{clock, witness, Random(1)};

 private:
  base::Task<> follow(std::vector<std::string> script, std::chrono::seconds patience,
                      std::vector<std::string>& heard);
  base::Task<std::string> read_reply(ports::Stream& stream, base::Deadline deadline);

  Host& host_{network.add_host("mx.x.example", {boost::asio::ip::make_address("192.0.2.1")},
                               {"x.example"})};
  std::string unread_;
  std::chrono::milliseconds took_{0};
};

/// EHLO and all that comes before it.
inline std::vector<std::string> greeted(std::vector<std::string> script) {
  std::vector<std::string> whole{"<", "EHLO relay.example", "<"};
  whole.insert(whole.end(), script.begin(), script.end());
  return whole;
}

}  // namespace relay::simulation
