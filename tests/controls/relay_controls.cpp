// srs-relay-controls: the relay, with what breaks a promise between its parts. RELAY_SABOTAGE names
// it.
#include <algorithm>
#include <array>
#include <cstdio>

#include "relay/app/command_line.hpp"
#include "relay/app/program.hpp"
#include "tests/controls/broken_signatures.hpp"
#include "tests/controls/sabotage.hpp"

namespace relay::controls {
namespace {

constexpr std::array<std::string_view, 7> kKnown = {
    kNoSabotage,  "early-reply",        "done-before-dot", "dsn-outside-transaction",
    "claim-kept", "laundering-allowed", "signature-broken"};

/// Keeps the decorators, which live as long as the relay.
class Between {
 public:
  explicit Between(std::string_view sabotage) : sabotage_(sabotage) {}

  app::Seams seams() {
    app::Seams made;
    made.intake = [this](ports::IntakeQueue& queue,
                         ports::DeliveryQueue& deliveries) -> ports::IntakeQueue& {
      return put(intake_, sabotaged(sabotage_, queue, deliveries), queue);
    };
    made.delivery = [this](ports::DeliveryQueue& queue) -> ports::DeliveryQueue& {
      return put(delivery_, sabotaged(sabotage_, queue), queue);
    };
    made.signer = [this](ports::Signer& signer) -> ports::Signer& {
      return put(signer_, sabotaged(sabotage_, signer), signer);
    };
    // Signatures that are broken now and then are found now and then; here each is to be.
    if (sabotage_ == "signature-broken") made.self_check_every = 1;
    return made;
  }

 private:
  template <class Port>
  static Port& put(std::unique_ptr<Port>& kept, std::unique_ptr<Port> made, Port& plain) {
    kept = std::move(made);
    return kept ? *kept : plain;
  }

  const std::string_view sabotage_;
  std::unique_ptr<ports::IntakeQueue> intake_;
  std::unique_ptr<ports::DeliveryQueue> delivery_;
  std::unique_ptr<ports::Signer> signer_;
};

}  // namespace
}  // namespace relay::controls

int main(int argc, char** argv) {
  using namespace relay;
  const std::string_view sabotage = controls::sabotage_asked_for();
  if (std::ranges::find(controls::kKnown, sabotage) == controls::kKnown.end()) {
    std::fprintf(stderr, "srs-relay-controls: RELAY_SABOTAGE names nothing that is known here\n");
    return app::kExitUsage;
  }
  controls::break_signatures(sabotage == "signature-broken");
  controls::Between between(sabotage);
  return app::run_program(argc, argv, between.seams());
}
