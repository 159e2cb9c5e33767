// Counters of the delivery side.
#pragma once

#include <cstdint>

#include "relay/base/metrics.hpp"

namespace relay::delivery {

/// How a copy ended. Every accepted copy is counted in one of these, or is still queued, or was
/// ended by the operator.
enum class CopyEnd : std::uint8_t { Delivered, Bounced, Suppressed };

struct Metrics {
  base::CounterFamily<base::Label<CopyEnd, 3>> copies{
      "srs_relay_delivery_copies_total",
      "Copies that came to an end: delivered, failed with the debt of a DSN, failed with nobody to "
      "tell",
      base::Label<CopyEnd, 3>{"end", {"delivered", "bounced", "suppressed"}}};
  base::Counter deferred{"srs_relay_delivery_deferred_total",
                         "Attempts at a copy after which it waits for another"};
  base::Counter protocol_errors{
      "srs_relay_delivery_protocol_errors_total",
      "Copies to which a server said that our commands were out of order"};
  base::Counter local_troubles{
      "srs_relay_delivery_local_troubles_total",
      "Attempts at which this host could not open a connection: no descriptor, no memory, no port, "
      "or a source address that is not its own"};
  base::Counter cut_off{"srs_relay_delivery_sessions_cut_off_total",
                        "Connections ended because their servers were slow and others waited"};

  void add_to(base::Registry& registry) const {
    registry.add(copies);
    registry.add(deferred);
    registry.add(protocol_errors);
    registry.add(local_troubles);
    registry.add(cut_off);
  }
};

}  // namespace relay::delivery
