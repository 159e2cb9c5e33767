// Hides an alias's private target in a reply before the sender may read it (guarantee "A DSN does
// not betray the target"). Hidden are the target's address, domain and local part, and name and
// address of the server that was asked. What the sender knows already is never hidden: the alias,
// its domain and its local part.
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

  /// Replaces the target's address by the alias, and everything else that is private by "[hidden]".
  /// One pass: replacements are not searched again.
  std::string applied(std::string_view text) const;

 private:
  /// How a word must be delimited to count as this word and not as a part of another.
  enum class Kind {
    Address,
    Domain,  ///< also a host name or an IP address; labels in front of it do not matter
    Name,    ///< a local part on its own
  };

  struct Word {
    Kind kind = Kind::Name;
    std::string folded;
    std::string shown;  ///< replacement; "": the text stays as it is
    bool is_public = false;
    bool is_ordinary = false;  ///< a Name that is also a common word of replies
  };

  void keep(Kind kind, std::string_view text);
  void hide(Kind kind, std::string_view text, std::string_view shown);
  const Word* word_at(std::string_view folded, std::size_t at) const;

  std::vector<Word> words_;  ///< in the order in which they are tried
};

}  // namespace relay::mail
