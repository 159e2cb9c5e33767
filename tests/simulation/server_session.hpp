// One session of a server that holds its clients to the rules: it answers 503 to every command out
// of its turn, and reports it. Its own bad habits come from the mood of its host.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/content_reader.hpp"
#include "tests/simulation/host.hpp"
#include "tests/simulation/link.hpp"
#include "tests/simulation/server_answers.hpp"

namespace relay::simulation {

/// How the server's side of a handshake goes.
struct HandshakePlan {
  Tls outcome = Tls::Works;
  mail::TlsResult certificate = mail::TlsResult::None;
  std::chrono::milliseconds takes{0};
};

class ServerSession final : public Peer {
 public:
  ServerSession(Host& host, Link& link, std::uint32_t connection);
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;
  ~ServerSession() override;

  /// Sends the banner, or what the mood has instead. `one_too_many`: the connection exceeds the
  /// limit.
  void greet(bool one_too_many);

  void receive(std::string_view octets) override;
  void client_left(const Farewell& farewell) override;

  bool reads() const override { return reads_; }

  /// After 220 to STARTTLS. The session goes on encrypted, or not at all.
  HandshakePlan shake_hands();

  /// The handshake has ended like this.
  void shaken(bool succeeded);

  void hang_up(ports::IoError error);

 private:
  enum class Phase : std::uint8_t {
    NoHello,
    Idle,
    Transaction,  ///< MAIL was accepted
    Content,
    Handshake,
    Over,  ///< QUIT was said, or nothing is answered any more
  };

  /// Sends the answer, changed by the habit. Returns the code that was sent; 0: none.
  int give(Step step, Answer answer, const std::optional<Habit>& habit,
           std::string_view recipient = {});
  void say(Step step, const Answer& answer, const std::optional<Habit>& habit,
           std::string_view recipient);
  std::chrono::milliseconds thinking_time();

  bool shows_status(Does manner) const {
    return host_.mood.enhanced_codes && manner != Does::SaysNoText;
  }

  void on_line(std::string_view line);
  bool spoke_too_early(std::string_view line);
  void on_hello(std::string_view verb);
  void on_start_tls(std::string_view line);
  void on_mail(std::string_view line);
  void on_rcpt(std::string_view line);
  void on_data(std::string_view line);
  void on_reset();
  void on_quit();
  void on_dot();
  void breach(Step step, Breach breach, std::string_view line, int code = 503);
  void watch_idle();
  void forget_transaction();
  bool in_group() const;

  Host& host_;
  Link& link_;
  Common& common_;
  const std::uint32_t connection_;
  Phase phase_ = Phase::NoHello;
  bool encrypted_ = false;
  bool ehlo_ = false;  ///< said, and understood
  bool reads_ = true;
  std::string pending_;  ///< octets of a line that has not ended
  std::string sender_;
  std::vector<std::string> recipients_;  ///< accepted ones
  std::uint32_t transaction_ = 0;
  unsigned asked_ = 0;         ///< RCPT of this transaction
  bool refused_ = false;       ///< MAIL or a RCPT of this group of commands was
  unsigned transactions_ = 0;  ///< MAIL that were accepted
  unsigned taken_ = 0;         ///< messages, whatever became of them
  unsigned refusals_ = 0;
  ContentReader content_;
  bool breaks_content_ = false;
  bool silent_ = false;
  bool pipelining_ = false;  ///< was offered
  SimClock::EventId idle_event_ = 0;
  base::SteadyTime heard_at_;
};

}  // namespace relay::simulation
