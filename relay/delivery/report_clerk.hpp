// Turns the notices of a message into DSNs, at the latest a minute after the first notice, also
// after a crash.
#pragma once

#include <atomic>
#include <mutex>
#include <unordered_set>

#include "relay/base/bell.hpp"
#include "relay/delivery/workshop.hpp"
#include "relay/ports/delivery_feed.hpp"
#include "relay/ports/notices.hpp"

namespace relay::delivery {

class ReportClerk {
 public:
  /// `feed`: the DSNs are offered for delivery like other messages.
  ReportClerk(Workshop& shop, ports::DeliveryFeed& feed) : shop_(shop), feed_(feed) {}

  /// Runs until stop().
  base::Task<> run();

  void stop();

  /// Notices were written. Any thread.
  void wake() { bell_.ring(); }

 private:
  struct Round;

  base::Task<bool> round();
  base::Task<> tell_some(Round& round);
  base::Task<bool> tell(mail::MessageId id);
  base::Task<std::string> header_of(const mail::AcceptedMessage& message);
  std::vector<ports::FreshMessage> fresh_of(const ports::Report& report) const;

  Workshop& shop_;
  ports::DeliveryFeed& feed_;
  base::Bell bell_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace relay::delivery
