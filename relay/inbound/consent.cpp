#include "relay/inbound/consent.hpp"

#include <utility>
#include <vector>

#include "relay/ports/awaiting_copy.hpp"
#include "relay/ports/consent_queue.hpp"

namespace relay::inbound {

namespace {

constexpr std::size_t kPage = 500;

}  // namespace

base::Task<> release_if_confirmed(ports::ConsentQueue& queue, const base::Published<Policy>& policy,
                                  mail::QueuedMessage& queued) {
  const auto current = policy.get();
  std::vector<ports::AwaitingCopy> copies;
  for (const auto& recipient : queued.recipients) {
    const mail::Route& route = recipient.route;
    if (route.awaits.empty() || !current->planner->directory().awaited(route.target).empty())
      continue;
    copies.push_back({route.awaits, {queued.message.id, route.index}, route.target.to_string()});
  }
  if (copies.empty()) co_return;
  const auto released = co_await queue.release(copies);
  if (!released) co_return;  // release_confirmed() of the next start finds them
  for (const ports::AwaitingCopy& copy : copies) {
    mail::QueuedRecipient& recipient = queued.recipients[copy.copy.index];
    recipient.state = mail::RecipientState::Waiting;
    recipient.route.awaits.clear();
    recipient.released_at = queued.received_at;
  }
}

base::Task<std::expected<std::uint64_t, ports::SpoolError>> release_confirmed(
    ports::ConsentQueue& queue, const base::Published<Policy>& policy) {
  std::uint64_t released = 0;
  std::optional<ports::AwaitingCopy> last;
  while (true) {
    auto page = co_await queue.awaiting_copies(last, kPage);
    if (!page) co_return std::unexpected(page.error());
    if (page->empty()) co_return released;
    last = page->back();
    const auto current = policy.get();
    std::erase_if(*page, [&](const ports::AwaitingCopy& copy) {
      const auto target = mail::Mailbox::parse(copy.target);
      return !target || !current->planner->directory().awaited(*target).empty();
    });
    if (page->empty()) continue;
    const auto changed = co_await queue.release(std::move(*page));
    if (!changed) co_return std::unexpected(changed.error());
    released += *changed;
  }
}

}  // namespace relay::inbound
