// The targets that have confirmed that they want forwarded mail: a large immutable set, looked up
// for every copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/address.hpp"

namespace relay::forward {

class ConfirmedTargets {
 public:
  /// `tag` begins a sub-address: confirming an address confirms all of its sub-addresses.
  explicit ConfirmedTargets(char tag) : tag_(tag) {}

  void add(const mail::Mailbox& target);
  void add(const mail::Domain& domain);  ///< confirms all addresses of the domain

  /// Call after the last add(): lookups then take the same time, however many entries there are.
  void seal();

  /// The address whose consent copies for this target must wait for, folded and without
  /// sub-address; "" when it has confirmed.
  std::string awaited(const mail::Mailbox& target) const;

  std::size_t size() const { return begins_.size(); }

 private:
  void append(std::string_view entry);
  bool contains(std::string_view entry) const;
  std::string_view entry(std::size_t index) const;
  std::size_t first_slot(std::string_view entry) const;

  // All addresses are one text with a hash table of their numbers. So a million of them need no
  // separate allocations, and little memory while a reload holds two sets.
  std::string text_;                   ///< "local@domain" or "@domain", folded, without separators
  std::vector<std::uint32_t> begins_;  ///< where each entry begins in text_
  std::vector<std::uint32_t> slots_;   ///< numbers of entries, from 1; 0: free; size a power of two
  char tag_;
};

}  // namespace relay::forward
