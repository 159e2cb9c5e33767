// What a sender may read of a reply that speaks of an alias's private target. Masked are the
// target's address, its domain, its local part, and host and address of the server that was asked.
// Never masked is what the sender knows: the alias, its domain, its local part.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/mail/address.hpp"
#include "relay/mail/outcome.hpp"

namespace relay::mail {

class TargetMask {
 public:
  TargetMask(const ForwardPath& alias, const Mailbox& target, const DeliveryAttempt& attempt);

  /// The target's address as the alias, everything else that is private as "[hidden]". Goes through
  /// the text once, so that nothing that was put in is looked at again.
  std::string applied(std::string_view text) const;

 private:
  /// What has to stand around a word so that it is this one and not a part of another.
  enum class Kind {
    Address,
    Domain,  ///< a host name or an IP address, too; labels in front of it do not matter
    Name,    ///< a local part on its own
  };

  struct Word {
    Kind kind = Kind::Name;
    std::string folded;
    std::string shown;  ///< in its place; "": it stays as it is
    bool is_public = false;
    bool is_ordinary = false;  ///< a Name that replies are full of, whosoever it may be
  };

  void keep(Kind kind, std::string_view text);
  void hide(Kind kind, std::string_view text, std::string_view shown);
  const Word* word_at(std::string_view folded, std::size_t at) const;

  std::vector<Word> words_;  ///< looked for in this order
};

}  // namespace relay::mail
