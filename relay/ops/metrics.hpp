// Counters of the operator's verbs.
#pragma once

#include "relay/base/metrics.hpp"
#include "relay/ops/verb.hpp"

namespace relay::ops {

struct Metrics {
  using VerbLabel = base::Label<Verb, kVerbNames.size()>;

  base::CounterFamily<VerbLabel> requests{
      "srs_relay_admin_requests_total", "Requests on the control socket.", {"verb", kVerbNames}};
  base::CounterFamily<VerbLabel> changed{"srs_relay_admin_changed_copies_total",
                                         "Copies that an operator's verb changed.",
                                         {"verb", kVerbNames}};

  void add_to(base::Registry& registry) const {
    registry.add(requests);
    registry.add(changed);
  }
};

}  // namespace relay::ops
