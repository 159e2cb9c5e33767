// The targets that have confirmed that they want what is forwarded to them: a big immutable set,
// asked for every copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/address.hpp"

namespace relay::settings {

class ConfirmedTargets {
 public:
  /// `tag` begins a sub-address: who confirmed for an address did so for all of its sub-addresses.
  explicit ConfirmedTargets(char tag) : tag_(tag) {}

  void add(const mail::Mailbox& target);
  void add(const mail::Domain& domain);  ///< all of its addresses

  /// After the last add(): from now on every question costs the same, however many there are.
  void seal();

  /// Under which address copies for this target wait for its consent: folded, without sub-address;
  /// "": it has confirmed.
  std::string awaited(const mail::Mailbox& target) const;

  std::size_t size() const { return begins_.size(); }

 private:
  void append(std::string_view entry);
  bool contains(std::string_view entry) const;
  std::string_view entry(std::size_t index) const;
  std::size_t first_slot(std::string_view entry) const;

  // A million addresses are one text, and a table of their numbers beside it: nothing to allocate
  // one by one, and little to hold twice while a reload goes on.
  std::string text_;                   ///< "local@domain" or "@domain", folded, one behind another
  std::vector<std::uint32_t> begins_;  ///< of each entry in text_
  std::vector<std::uint32_t> slots_;   ///< number of an entry from 1, 0: free; a power of two many
  char tag_;
};

}  // namespace relay::settings
