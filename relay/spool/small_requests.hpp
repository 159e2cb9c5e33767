// Consent, tokens and greylisting; each call is a request to the writer.
#pragma once

#include "relay/ports/consent_queue.hpp"
#include "relay/ports/greylist.hpp"
#include "relay/ports/token_store.hpp"
#include "relay/spool/tables.hpp"
#include "relay/spool/writer.hpp"

namespace relay::spool {

class ConsentRequests final : public ports::ConsentQueue {
 public:
  ConsentRequests(Writer& writer, Tables& tables) : writer_(writer), tables_(tables) {}

  base::Task<std::expected<std::uint64_t, ports::SpoolError>> awaiting(
      std::vector<std::string> addresses) override;
  base::Task<std::expected<std::vector<ports::AwaitingCopy>, ports::SpoolError>> awaiting_copies(
      std::optional<ports::AwaitingCopy> after, std::size_t limit) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> release(
      std::vector<ports::AwaitingCopy> copies) override;

 private:
  Writer& writer_;
  Tables& tables_;
};

class TokenRequests final : public ports::TokenStore {
 public:
  TokenRequests(Writer& writer, Tables& tables) : writer_(writer), tables_(tables) {}

  base::Task<std::expected<mail::ReversePath, ports::SpoolError>> find(std::string token) override;
  base::Task<std::expected<bool, ports::SpoolError>> has_room(mail::SenderToken token) override;

 private:
  Writer& writer_;
  Tables& tables_;
};

class GreylistRequests final : public ports::GreylistStore {
 public:
  GreylistRequests(Writer& writer, Tables& tables) : writer_(writer), tables_(tables) {}

  base::Task<std::expected<ports::GreylistAnswer, ports::SpoolError>> see(
      ports::GreylistKey key, ports::GreylistRules rules) override;

 private:
  Writer& writer_;
  Tables& tables_;
};

}  // namespace relay::spool
