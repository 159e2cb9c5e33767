// How long, and by which requests, the queue's one thread is busy: every 250 waits for it.
#pragma once

#include <cstdint>

#include "relay/base/metrics.hpp"
#include "relay/ports/clock.hpp"

namespace relay::spool {

/// What a transaction holds counts as the first of these that is part of it, from Order on.
enum class Busy : std::uint8_t { Read, Order, Mail, Note, Checkpoint };

struct Metrics {
  base::HistogramFamily<base::kDurationBounds, base::Label<Busy, 5>> writer{
      "srs_relay_spool_writer_seconds",
      "Time that one piece of work kept the queue's writer: a transaction, by the gravest of what "
      "shared it; reads that were answered together; a checkpoint",
      base::Label<Busy, 5>{"work", {"read", "order", "mail", "note", "checkpoint"}}};

  void add_to(base::Registry& registry) const { registry.add(writer); }
};

/// Counts the time until it is destroyed.
class Stopwatch {
 public:
  using Cell = base::HistogramCell<base::kDurationBounds>;

  Stopwatch(const ports::Clock& clock, Cell& cell)
      : clock_(clock), cell_(cell), began_at_(clock.steady()) {}

  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  ~Stopwatch() { cell_.observe(clock_.steady() - began_at_); }

 private:
  const ports::Clock& clock_;
  Cell& cell_;
  const base::SteadyTime began_at_;
};

}  // namespace relay::spool
