// A House with a gateway in front of it, at kGateway.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/inbound/served_house.hpp"

namespace relay::inbound {

inline constexpr const char* kGateway = "10.0.0.1";
inline constexpr const char* kZone =
    "sender.example TXT \"v=spf1 ip4:203.0.113.9 -all\"\n"
    "_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\n"
    "9.113.0.203.bl.example A 127.0.0.2\n";

inline std::string received(const std::string& from, const std::string& by) {
  return "Received: from " + from + "\r\n\tby " + by + " (Postfix) with ESMTP id 1;\r\n\tdate\r\n";
}

class Gateway : public ServedHouse {
 protected:
  Gateway() {
    change([](Policy& policy) {
      policy.arrival.gateways = {{.from = {*base::Network::parse("10.0.0.0/24")}}};
    });
  }

  /// `before` the envelope and content of a message.
  static std::vector<std::string> then_message(std::vector<std::string> before,
                                               const std::string& fields = "") {
    for (auto& segment : envelope_and({fields + kMessage})) before.push_back(segment);
    return before;
  }

  /// Of the stored messages, in order.
  std::string clients() const {
    std::string all;
    for (const auto& stored : house.queue.stored) {
      all += (all.empty() ? "" : " ") + stored.message.message.client.address;
    }
    return all;
  }

  void find_in_received(forward::LateRefusal refusals = forward::LateRefusal::Refuse) {
    house.verify(kZone);
    change([&](Policy& policy) {
      GatewayPolicy& gateway = policy.arrival.gateways.front();
      gateway.reads_received = true;
      gateway.names = {"gw.example.org", "hub.example.org"};
      gateway.refusals = refusals;
    });
  }

  /// 203.0.113.9 is listed, in the zone kZone.
  void ask_lists(DnsListStage at = DnsListStage::Recipient) {
    auto lists = std::make_shared<DnsListPolicy>();
    lists->lists = {{.zone = "bl.example", .weight = 10}};
    lists->refuse_at = 10;
    lists->at = at;
    change([&](Policy& policy) { policy.abuse.dns_lists = lists; });
  }

  std::string send(const std::string& fields, const std::string& peer = kGateway) {
    return from(peer, then_message({}, fields))->sent;
  }
};

}  // namespace relay::inbound
