// A message with a report due, to be changed by each test.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "relay/delivery/report_writer.hpp"
#include "tests/support/mailbox.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {

inline const base::WallTime kReportNow{std::chrono::milliseconds(1'795'500'000'000)};

using support::mailbox;

/// A message with its copies and notices.
class ReportFixture : public testing::Test {
 protected:
  ReportFixture() {
    order_.now = kReportNow;
    order_.header_block = "From: ann@sender.example\r\nSubject: Hello\r\n";
    auto& message = order_.notices.queued.message;
    message.id = mail::MessageId::make(kReportNow, {7});
    order_.notices.queued.received_at = kReportNow - std::chrono::hours(1);
    message.reverse_path = mail::ReversePath(mailbox("ann@sender.example"));
    message.sender_authenticated = true;
    policy_->hide_targets = true;
  }

  std::uint16_t copy(const std::string& alias, mail::RecipientState state,
                     mail::End end = mail::End::None) {
    auto& copies = order_.notices.queued.recipients;
    const auto index = static_cast<std::uint16_t>(copies.size());
    copies.push_back({.route = {.index = index,
                                .original = mail::ForwardPath(mailbox(alias)),
                                .target = mailbox("t" + std::to_string(index) + "@dest.example"),
                                .reverse_path = {}},
                      .state = state,
                      .next_due = {},
                      .last = {},
                      .end = end});
    return index;
  }

  /// A copy that failed, and its notice.
  void failed(const std::string& alias, mail::End end = mail::End::Refused) {
    notice(copy(alias, mail::RecipientState::Failed, end), ports::Notify::OfFailure, end);
  }

  /// A copy that waits, and its notice.
  void delayed(const std::string& alias) {
    notice(copy(alias, mail::RecipientState::Waiting), ports::Notify::OfDelay, mail::End::None);
  }

  void delivered(const std::string& alias) {
    copy(alias, mail::RecipientState::Delivered, mail::End::Delivered);
  }

  void notice(std::uint16_t index, ports::Notify kind, mail::End end) {
    ports::Notice made{.index = index,
                       .kind = kind,
                       .route = order_.notices.queued.recipients.at(index).route,
                       .attempt = {},
                       .end = end,
                       .waiting_since = kReportNow - std::chrono::hours(4)};
    made.attempt.at = kReportNow;
    made.attempt.stage = mail::Stage::RcptTo;
    made.attempt.code = kind == ports::Notify::OfFailure ? 550 : 451;
    made.attempt.status = kind == ports::Notify::OfFailure ? mail::EnhancedStatus{5, 1, 1}
                                                           : mail::EnhancedStatus{4, 2, 1};
    order_.notices.notices.push_back(std::move(made));
  }

  WrittenReport written(ports::Signer* signer = nullptr) {
    return support::run_task(write_report(order_, policy_, signer));
  }

  /// The addressees of the DSNs, in order.
  static std::vector<std::string> addressees(const WrittenReport& written) {
    std::vector<std::string> all;
    for (const auto& dsn : written.report.dsns) {
      all.push_back(dsn.routes.at(0).original.to_string());
    }
    return all;
  }

  ReportOrder order_;
  std::shared_ptr<Policy> policy_ =
      std::make_shared<Policy>(*mail::Domain::parse("mx.fwd.example"));
};

}  // namespace relay::delivery
