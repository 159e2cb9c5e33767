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

}  // namespace relay::delivery
