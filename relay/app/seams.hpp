// Where something can be put between the parts of the relay. Tests put decorators of ports there;
// the program that is shipped puts nothing, and its parts see each other as if there were no seam.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

#include "relay/auth/openssl_signer.hpp"
#include "relay/ports/signer.hpp"

namespace relay::ports {
class DeliveryQueue;
class IntakeQueue;
}  // namespace relay::ports

namespace relay::app {

/// Each function is called once, at the start, with a port as its adapter provides it; the answer
/// takes its place, is called from any shard, and must outlive the relay. Empty: the port itself.
struct Seams {
  std::function<ports::DeliveryQueue&(ports::DeliveryQueue&)> delivery;
  /// The second is the queue of the delivery side, for what is recorded there.
  std::function<ports::IntakeQueue&(ports::IntakeQueue&, ports::DeliveryQueue&)> intake;
  std::function<ports::Signer&(ports::Signer&)> signer;
  /// See auth::SelfChecking.
  std::uint64_t self_check_every = auth::usual_self_check_every();
};

/// What stands in the place of `port`.
template <class Port, class... More>
Port& through(const std::function<Port&(Port&, More&...)>& seam, std::type_identity_t<Port>& port,
              std::type_identity_t<More>&... more) {
  return seam ? seam(port, more...) : port;
}

}  // namespace relay::app
