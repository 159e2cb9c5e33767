#include "relay/app/wiring_listeners.hpp"

#include <algorithm>
#include <utility>

#include "relay/app/endpoints.hpp"

namespace relay::app {

std::expected<Listeners::Change, std::string> Listeners::prepare(
    std::span<const ports::Endpoint> wanted) {
  Change change;
  for (const Open& open : open_) {
    if (!contains(wanted, open.address)) change.removed.push_back(open.address);
  }
  std::vector<ports::Endpoint> fresh;
  for (const ports::Endpoint& address : wanted) {
    const bool is_open = std::ranges::find(open_, address, &Open::address) != open_.end();
    if (!is_open && !contains(fresh, address)) fresh.push_back(address);
  }
  std::vector<ports::Endpoint> foreign = fresh;
  if (given_) foreign = given_->missing(foreign);
  std::erase_if(foreign, [this](const auto& address) { return is_within_ours(address); });
  if (auto free = net::Listener::check_free(foreign); !free) return std::unexpected(free.error());
  for (const ports::Endpoint& address : fresh) {
    auto opened = open(address);
    if (!opened) return std::unexpected(opened.error());
    change.added.push_back(std::move(*opened));
  }
  return change;
}

/// Changing from "0.0.0.0:25" to "192.0.2.1:25", or back, has both open for a moment: check_free()
/// would find the port in use, by ourselves.
bool Listeners::is_within_ours(const ports::Endpoint& address) const {
  return std::ranges::any_of(open_, [&](const Open& open) {
    const auto& ours = open.address;
    return ours.port == address.port && ours.address.is_v4() == address.address.is_v4() &&
           (ours.address.is_unspecified() || address.address.is_unspecified());
  });
}

std::expected<Listeners::Open, std::string> Listeners::open(const ports::Endpoint& address) {
  Open open{.address = address, .sockets = {}};
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    net::Shard& shard = shards_.at(i);
    auto listener = net::Listener::open(
        shard, std::span(&address, 1),
        [this, executor = shard.executor()](std::unique_ptr<ports::Stream> stream) {
          admit_(std::move(stream), executor);
        },
        {.farewell = "421 4.3.2 Too many connections, try again later\r\n", .on_pause = on_pause_},
        given_ ? std::span(given_->sockets()) : std::span<const net::Listener::Inherited>());
    if (!listener) return std::unexpected(listener.error());
    open.sockets.push_back(std::move(*listener));
  }
  return open;
}

void Listeners::apply(Change change, const std::function<void()>& publish) {
  given_.reset();
  std::erase_if(open_, [&](const Open& open) { return contains(change.removed, open.address); });
  if (publish) publish();
  for (Open& added : change.added) {
    for (auto& socket : added.sockets) socket->start();
    open_.push_back(std::move(added));
  }
}

void Listeners::stop() noexcept {
  for (Open& open : open_) {
    for (auto& socket : open.sockets) socket->stop();
  }
}

}  // namespace relay::app
