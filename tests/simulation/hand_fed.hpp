// A judge to which a test feeds events step by step, right or wrong ones.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "tests/simulation/judge.hpp"

namespace relay::simulation {

/// Four hosts: "mx0" and "mx1" serve d0.example in this order, "mx2" serves d1.example; "us" stands
/// in front of "mx3" for d2.example, so that none of its hosts may be asked. d3.example has four
/// hosts.
World small_world();

class HandFed {
 public:
  explicit HandFed(World made = small_world());

  /// Accepts a message with copies for these domains, and commits it.
  mail::MessageId accept(std::uint32_t number, std::vector<CopyPlan> copies, bool commit = true);

  std::uint32_t dial(int host, bool risk_pool = false, bool offers_tls = false);
  std::uint32_t mail(std::uint32_t connection, std::uint32_t message);
  void rcpt(std::uint32_t transaction, CopyName copy);

  /// Returns the number of the reply.
  std::uint32_t say(std::uint32_t transaction, Step step, int code, std::string_view status = "",
                    CopyName recipient = kNoCopy, unsigned accepted = 0);
  std::uint32_t dot(std::uint32_t transaction, std::uint32_t content, std::vector<CopyName> to,
                    bool taken = true);

  /// One whole transaction on a new connection; returns the number of the reply to the dot.
  std::uint32_t deliver(CopyName copy, int host = 0);

  ports::CopyUpdate outcome(CopyName copy, mail::RecipientState state, mail::End end,
                            mail::Stage stage, int code, std::uint32_t reply);
  ports::CopyUpdate delivered(CopyName copy, std::uint32_t reply);
  ports::CopyUpdate refused(CopyName copy, std::uint32_t reply, int code = 550,
                            mail::Stage stage = mail::Stage::RcptTo);
  ports::CopyUpdate deferred(CopyName copy, std::vector<std::string> hosts, int code = 451,
                             mail::Stage stage = mail::Stage::MailFrom);
  void record(std::uint32_t message, ports::CopyUpdate update,
              ports::Recorded how = ports::Recorded::Yes);
  void report(std::uint32_t message, std::vector<std::pair<std::uint16_t, ports::Notify>> notices,
              std::string text, int dsns = 1);
  void verb(ports::QueueAction action, CopyName copy, std::size_t under_way = 0);

  /// Time passes without events.
  void wait(std::chrono::milliseconds span);

  std::vector<Rule> broken() const;

  World world;
  SimClock clock;
  Judge judge;

 private:
  std::string address(CopyName copy);

  std::uint32_t connections_ = 0;
  std::uint32_t transactions_ = 0;
  std::uint32_t replies_ = 0;
  std::vector<std::uint32_t> connection_of_{0};
  std::uint8_t dsns_ = 0;
};

}  // namespace relay::simulation
