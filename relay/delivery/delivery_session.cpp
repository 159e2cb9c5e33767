#include "relay/delivery/delivery_session.hpp"

namespace relay::delivery {

base::Task<> DeliverySession::run() {
  for (;;) {
    auto assignment =
        co_await shop_.dispatcher.next(place_, runner_.connected_to(), shop_.ports.clock.steady());
    if (!assignment) break;
    JobKeeper keeper(shop_, std::move(*assignment), &runner_, place_);
    co_await keeper.serve();
    if (shop_.poisoned) break;
  }
  if (place_->cut.made()) shop_.metrics.cut_off.add();
  co_await runner_.close();
}

base::Task<> answer_jobs(Workshop& shop, LanePtr lane) {
  for (;;) {
    auto assignment = shop.dispatcher.next_for_clerk(lane, shop.ports.clock.steady());
    if (!assignment) break;
    JobKeeper keeper(shop, std::move(*assignment), nullptr, nullptr);
    co_await keeper.serve();
    if (shop.poisoned) break;
  }
}

std::set<std::uint16_t> JobKeeper::heed_fallbacks(const ports::RecordAnswer& answer) {
  std::set<std::uint16_t> replaced;
  if (answer.taken_over.empty()) return replaced;
  std::vector<mail::CopyId> withdrawn;
  for (const ports::TakeOver& taken : answer.taken_over) {
    for (const std::uint16_t index : taken.replaced) {
      replaced.insert(index);
      withdrawn.push_back({assignment_.job.id, index});
    }
  }
  shop_.dispatcher.withdraw(withdrawn);
  shop_.expect_due(std::chrono::milliseconds(0));
  return replaced;
}

}  // namespace relay::delivery
