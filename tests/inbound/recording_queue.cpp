#include "tests/inbound/recording_queue.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace relay::inbound {

using ports::SpoolError;

namespace {

auto place(const ports::AwaitingCopy& copy) { return std::tuple(copy.awaits, copy.copy); }

}  // namespace

base::Task<std::expected<void, SpoolError>> RecordingQueue::append(mail::MessageId draft,
                                                                   std::uint32_t,
                                                                   std::string chunk) {
  if (on_append) on_append();
  if (append_error) co_return std::unexpected(*append_error);
  if (chunk.size() != ports::kChunkOctets) co_return std::unexpected(SpoolError::Corrupt);
  drafts[draft] += chunk;
  std::expected<void, SpoolError> ok;
  co_return ok;
}

void RecordingQueue::discard(mail::MessageId draft) noexcept {
  discarded += static_cast<int>(drafts.erase(draft));
}

base::Task<std::expected<ports::CommitProof, SpoolError>> RecordingQueue::commit(
    ports::NewMessage message) {
  if (on_commit) on_commit();
  if (commit_error) co_return std::unexpected(*commit_error);
  const mail::MessageId id = message.message.id;
  const auto draft = drafts.find(id);
  std::string content = draft == drafts.end() ? std::string() : draft->second;
  const std::size_t chunks = content.size() / ports::kChunkOctets;
  content += message.content;
  stored.push_back({std::move(message), std::move(content), chunks});
  if (draft != drafts.end()) drafts.erase(draft);
  co_return proof_of(id);
}

base::Task<std::expected<std::vector<ports::RememberedMessage>, SpoolError>>
RecordingQueue::accepted_within(std::chrono::milliseconds, std::size_t) {
  co_return std::vector<ports::RememberedMessage>();
}

base::Task<std::expected<mail::ReversePath, SpoolError>> RecordingTokens::find(std::string token) {
  if (error) co_return std::unexpected(*error);
  const auto found = senders.find(token);
  if (found == senders.end()) co_return std::unexpected(SpoolError::NotFound);
  co_return found->second;
}

std::vector<ports::AwaitingCopy> RecordingConsent::waiting() const {
  std::set<mail::CopyId> gone;
  for (const auto& copy : released) gone.insert(copy.copy);
  std::vector<ports::AwaitingCopy> all;
  for (const auto& one : queue_.stored) {
    for (const mail::Route& route : one.message.routes) {
      const mail::CopyId copy{one.message.message.id, route.index};
      if (route.awaits.empty() || gone.contains(copy)) continue;
      all.push_back({route.awaits, copy, route.target.to_string()});
    }
  }
  std::ranges::sort(all, {}, place);
  return all;
}

base::Task<std::expected<std::uint64_t, SpoolError>> RecordingConsent::awaiting(
    std::vector<std::string> addresses) {
  const auto all = waiting();
  std::uint64_t most = 0;
  for (const std::string& address : addresses) {
    const auto count = std::ranges::count(all, address, &ports::AwaitingCopy::awaits);
    most = std::max(most, static_cast<std::uint64_t>(count));
  }
  co_return most;
}

base::Task<std::expected<std::vector<ports::AwaitingCopy>, SpoolError>>
RecordingConsent::awaiting_copies(std::optional<ports::AwaitingCopy> after, std::size_t limit) {
  auto all = waiting();
  if (after) std::erase_if(all, [&](const auto& copy) { return place(copy) <= place(*after); });
  if (all.size() > limit) all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
  co_return all;
}

base::Task<std::expected<std::uint64_t, SpoolError>> RecordingConsent::release(
    std::vector<ports::AwaitingCopy> copies) {
  released.insert(released.end(), copies.begin(), copies.end());
  co_return copies.size();
}

base::Task<std::expected<ports::GreylistAnswer, SpoolError>> RecordingGreylist::see(
    ports::GreylistKey key, ports::GreylistRules rules) {
  if (error) co_return std::unexpected(*error);
  const base::WallTime now = clock_.wall();
  const auto network = visits_.find(key.network);
  const bool known_network = network != visits_.end();
  if (known_network && network->second.passes >= rules.trusted_after) {
    co_return ports::GreylistAnswer::TrustedNetwork;
  }
  if (!rules.takes_new && !visits_.contains(key.sender)) co_return ports::GreylistAnswer::First;
  const auto [sender, is_new] = visits_.try_emplace(key.sender, Visit{.at = now});
  if (is_new) co_return ports::GreylistAnswer::First;
  if (sender->second.passes > 0) co_return ports::GreylistAnswer::Known;
  if (now - sender->second.at < rules.delay) co_return ports::GreylistAnswer::TooSoon;
  sender->second.passes = 1;
  // Passes of one network count when they are some time apart.
  if (!known_network || now - network->second.at >= rules.delay) {
    Visit& visit = visits_[key.network];
    visit = {.at = now, .passes = visit.passes + 1};
  }
  co_return ports::GreylistAnswer::Passed;
}

}  // namespace relay::inbound
