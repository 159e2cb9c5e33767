// A desk with everything around it: a queue, a delivery side that notes what it is told, a log.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "relay/ops/admin_endpoint.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/ops/scripted_queue.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/run_task.hpp"

namespace relay::ops {

class NotedDelivery final : public ports::DeliveryControl {
 public:
  std::size_t withdraw(const std::vector<mail::CopyId>& copies) override {
    withdrawn.push_back(copies);
    std::size_t under_way = 0;
    for (const auto& copy : copies) under_way += behind_the_dot.count(copy);
    return under_way;
  }

  void wake() override { ++woken; }

  void set_pauses(std::vector<ports::PauseRule> given) override {
    pauses = std::move(given);
    ++pauses_set;
  }

  std::optional<ports::Waiting> why_waiting(const mail::CopyId& copy, const ports::LaneKey& lane,
                                            const std::string& alias) const override {
    asked.emplace_back(lane, alias);
    const auto found = waiting.find(copy);
    if (found == waiting.end()) return std::nullopt;
    return found->second;
  }

  std::vector<std::vector<mail::CopyId>> withdrawn;  ///< call by call
  std::map<mail::CopyId, bool> behind_the_dot;
  int woken = 0;
  std::vector<ports::PauseRule> pauses;
  int pauses_set = 0;
  std::map<mail::CopyId, ports::Waiting> waiting;
  mutable std::vector<std::pair<ports::LaneKey, std::string>> asked;
};

class TextSink final : public AnswerSink {
 public:
  base::Task<bool> take(std::string lines) override {
    pages.push_back(lines);
    all += lines;
    co_return pages.size() < gone_after;
  }

  std::vector<std::string> pages;
  std::string all;
  std::size_t gone_after = SIZE_MAX;
};

class DeskHouse : public testing::Test {
 protected:
  template <class T>
  T run(base::Task<T> task) {
    return support::run_task(io_, std::move(task));
  }

  /// The whole answer to a request.
  std::string ask(const std::string& request, std::optional<std::uint32_t> uid = std::nullopt) {
    TextSink sink;
    Asker asker;
    if (uid) asker = ports::LocalUser{.uid = *uid, .pid = 77, .name = "ann"};
    run(answered(request, std::move(asker), sink));
    return sink.all;
  }

  base::Task<bool> answered(std::string request, Asker asker, TextSink& sink) {
    co_await endpoint_.answer(std::move(request), std::move(asker), sink);
    co_return true;
  }

  /// "queue.hold" with filter words, and more fields of the request.
  std::string say(const std::string& verb, const std::vector<std::string>& words,
                  const std::string& more = "") {
    std::string filter;
    for (const auto& word : words) filter += (filter.empty() ? "\"" : ",\"") + word + '"';
    return ask("{\"v\":1,\"verb\":\"" + verb + "\",\"filter\":[" + filter + "]" + more + "}");
  }

  /// One more copy, three hours old, of a message of its own; the n-th has n in its id.
  ports::QueueRow& add(const std::string& target = "me@x.example") {
    const auto number = static_cast<std::uint8_t>(queue_.rows.size() + 1);
    ports::QueueRow row;
    row.received_at = clock_.wall() - std::chrono::hours(3);
    row.copy.message = mail::MessageId::make(row.received_at, {number});
    row.size = 2345;
    row.client = "192.0.2.7";
    row.helo = "mail.sender.example";
    row.mail_from = "ann@sender.example";
    row.alias = "info@fwd.example";
    row.target = target;
    row.sender = "srs0=x@srs.example";
    row.next_due = clock_.wall();
    queue_.rows.push_back(row);
    return queue_.rows.back();
  }

  /// As after an attempt that ended with a 4xx reply.
  static void defer(ports::QueueRow& row, base::WallTime at) {
    row.attempts = 6;
    row.next_due = at + std::chrono::minutes(15);
    row.last = {.at = at,
                .host = "mx1.x.example",
                .address = "192.0.2.9",
                .port = 25,
                .tls = "TLSv1.3",
                .stage = mail::Stage::EndOfData,
                .code = 421,
                .status = {4, 7, 28},
                .text = "rate\nlimit\x1b"};
  }

  static base::Task<ReloadResult> answer(ReloadResult result) { co_return result; }

  static std::string id_of(const ports::QueueRow& row) { return row.copy.message.to_string(); }

  static ports::QueueFilter one(const ports::QueueRow& row) { return *parse_filter({id_of(row)}); }

  Order order(Verb verb, std::vector<std::string> words = {"all"}, std::string reason = "") {
    return {.verb = verb,
            .words = std::move(words),
            .reason = std::move(reason),
            .asker = ports::LocalUser{.uid = 1000}};
  }

  fakes::FakeClock clock_;
  ScriptedQueue queue_{clock_};
  NotedDelivery delivery_;
  support::RecordingLog log_;
  DaemonStatus status_;
  ReloadResult reload_result_;
  Asker reload_asked_by_;
  std::map<std::string, std::vector<ports::HostEnd>, std::less<>> groups_;
  Desk desk_{{.queue = queue_,
              .delivery = delivery_,
              .clock = clock_,
              .log = log_,
              .status = [this] { return status_; },
              .reload =
                  [this](const Asker& asker) {
                    reload_asked_by_ = asker;
                    return answer(reload_result_);
                  },
              .expire = [] { return std::chrono::hours(120); },
              .hosts_of_group =
                  [this](std::string_view name) {
                    const auto found = groups_.find(name);
                    return found == groups_.end() ? std::vector<ports::HostEnd>() : found->second;
                  }}};
  AdminEndpoint endpoint_{desk_};
  boost::asio::io_context io_;  ///< last: what still sleeps on it uses everything above
};

}  // namespace relay::ops
