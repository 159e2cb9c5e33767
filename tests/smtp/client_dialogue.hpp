// Beginnings of dialogues with the client machine.
#pragma once

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "relay/smtp/client_machine.hpp"
#include "tests/support/mailbox.hpp"

namespace relay::smtp {

using support::mailbox;

inline ClientTransaction envelope(const std::vector<std::string_view>& recipients) {
  ClientTransaction transaction;
  transaction.reverse_path = mail::ReversePath(mailbox("ann@a.example"));
  for (const auto text : recipients) transaction.recipients.push_back(mailbox(text));
  transaction.size = 1000;
  return transaction;
}

inline constexpr std::string_view kEhlo =
    "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 5000\r\n";

/// A machine greeted by a server with these EHLO lines.
inline ClientMachine greeted(std::string_view ehlo = kEhlo) {
  ClientMachine machine("relay.example", TlsUse::Never);
  machine.feed("220 mx ESMTP\r\n");
  EXPECT_EQ(machine.take_output(), "EHLO relay.example\r\n");
  machine.feed(ehlo);
  EXPECT_EQ(machine.step(), ClientMachine::Step::Ready);
  return machine;
}

}  // namespace relay::smtp
