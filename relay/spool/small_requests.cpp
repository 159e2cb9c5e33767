#include "relay/spool/small_requests.hpp"

namespace relay::spool {

using ports::SpoolError;

base::Task<std::expected<std::uint64_t, SpoolError>> ConsentRequests::awaiting(
    std::vector<std::string> addresses) {
  using Result = std::expected<std::uint64_t, SpoolError>;
  return writer_.ask<std::uint64_t>(Kind::Read,
                                    [this, addresses = std::move(addresses)]() -> Result {
                                      return tables_.awaiting.most(addresses);
                                    });
}

base::Task<std::expected<std::vector<ports::AwaitingCopy>, SpoolError>>
ConsentRequests::awaiting_copies(std::optional<ports::AwaitingCopy> after, std::size_t limit) {
  using Result = std::expected<std::vector<ports::AwaitingCopy>, SpoolError>;
  return writer_.ask<std::vector<ports::AwaitingCopy>>(
      Kind::Read, [this, after = std::move(after), limit]() -> Result {
        return tables_.awaiting.list(after, limit);
      });
}

base::Task<std::expected<std::uint64_t, SpoolError>> ConsentRequests::release(
    std::vector<ports::AwaitingCopy> copies) {
  using Result = std::expected<std::uint64_t, SpoolError>;
  return writer_.ask<std::uint64_t>(Kind::Record, [this, copies = std::move(copies)]() -> Result {
    return tables_.awaiting.release(copies, writer_.now());
  });
}

base::Task<std::expected<mail::ReversePath, SpoolError>> TokenRequests::find(std::string token) {
  using Result = std::expected<mail::ReversePath, SpoolError>;
  return writer_.ask<mail::ReversePath>(Kind::Read, [this, token = std::move(token)]() -> Result {
    auto found = tables_.tokens.find(token, writer_.now());
    if (!found) return std::unexpected(SpoolError::NotFound);
    return std::move(*found);
  });
}

base::Task<std::expected<bool, SpoolError>> TokenRequests::has_room(mail::SenderToken token) {
  using Result = std::expected<bool, SpoolError>;
  return writer_.ask<bool>(Kind::Read, [this, token = std::move(token)]() -> Result {
    return tables_.tokens.has_room(token);
  });
}

base::Task<std::expected<ports::GreylistAnswer, SpoolError>> GreylistRequests::see(
    ports::GreylistKey key, ports::GreylistRules rules) {
  using Result = std::expected<ports::GreylistAnswer, SpoolError>;
  return writer_.ask<ports::GreylistAnswer>(
      Kind::Note, [this, key = std::move(key), rules]() -> Result {
        return tables_.greylist.see(key, rules, writer_.now());
      });
}

}  // namespace relay::spool
