// SRS addresses of a House: right ones, and ones with a wrong tag.
#pragma once

#include <chrono>
#include <string>

#include "srs/srs.hpp"
#include "tests/inbound/house.hpp"
#include "tests/inbound/test_planner.hpp"

namespace relay::inbound {

/// The address the house gives `sender`.
inline std::string srs_address(House& house, const std::string& sender) {
  const auto made = house.policy.get()->planner->directory().senders().rewrite(
      *mail::Mailbox::parse(sender),
      {mail::MessageId(), std::string("192.0.2.7"), false, false, house.clock.wall()});
  return made.reverse_path.to_string();
}

/// As Mail::SRS makes them with the secret of the house, which takes them, too.
inline std::string classic_address(House& house, const std::string& local_part,
                                   const std::string& domain = "sender.example") {
  srs::Options options;
  options.format = srs::Format::Classic;
  options.always_rewrite = true;
  const srs::Rewriter rewriter(*srs::KeyRing::make({{"test", kTestSecret, {}, {}}}),
                               "srs.example.org", options);
  const auto now = std::chrono::floor<std::chrono::seconds>(house.clock.wall());
  return srs::to_string(*rewriter.forward({local_part, domain}, now.time_since_epoch().count()));
}

/// With the tag of another name.
inline std::string forged(House& house, int number) {
  std::string address = srs_address(house, "ann@sender.example");
  address.replace(address.find("ann@"), 3, "x" + std::to_string(number));
  return address;
}

/// The same with a classic tag.
inline std::string wrong_classic(House& house, int number) {
  const std::string right = classic_address(house, "ann");
  const std::string name = "x" + std::to_string(number);
  return std::string(right).replace(right.find("ann@"), 3, name);
}

}  // namespace relay::inbound
