// How far one attempt has come: which hosts were asked, and which copies are left for whom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/delivery/consignment.hpp"
#include "relay/delivery/content_source.hpp"
#include "relay/delivery/copy_head.hpp"
#include "relay/smtp/client_envelope.hpp"

namespace relay::delivery {

class AttemptCourse {
 public:
  /// Positions in consignment.copies.
  using Copies = std::vector<std::size_t>;

  /// All outlive it. `hosts`: the order in which they are tried, as positions in the list.
  AttemptCourse(const Consignment& about, const CopyHead& its_head, ContentSource& its_content,
                const Gate& may_go_on, AttemptReport& result, std::vector<std::size_t> hosts,
                base::SteadyTime end);

  // Which hosts.

  /// Whether another address may be dialled in this attempt.
  bool has_next() const;
  /// Goes to the next address. Precondition: has_next().
  const Candidate& next_host();
  /// The connection that is open leads to this host.
  void adopt(const Candidate& host);
  /// Whether the host of this address was asked in this attempt, at this address or another.
  bool was_asked(std::size_t at) const;
  void count_asked(std::size_t at);

  // Which copies.

  std::vector<std::uint16_t> indices_of(const Copies& which) const;
  smtp::ClientTransaction transaction_for(const Copies& which) const;
  /// `outcome` is the last word on this copy so far.
  void note(std::size_t copy, mail::Outcome outcome, bool is_protocol_error);
  /// Leaves out the copies that `gate` does not let go on.
  void drop_withdrawn();
  /// No further host will be tried: the last outcome of each copy stands. `was_cut`: another group
  /// needed the place, so the hosts count as reachable.
  void give_up(bool was_cut);

  const Consignment& consignment;
  const CopyHead& head;
  ContentSource& content;
  const Gate& gate;
  AttemptReport& report;
  const base::SteadyTime ends_at;   ///< no connection or transaction begins after that
  Copies left;                      ///< for the current host
  Copies moved;                     ///< for the next host
  std::optional<std::size_t> here;  ///< host of the current connection, or of the last one
  bool stays_here = false;          ///< the next connection goes to `here` again
  bool reached = false;             ///< a host became ready for a transaction
  bool only_final = true;           ///< every host tried said that it never takes mail
  bool spared_others = false;       ///< a 421 about other recipients was no outcome; once

 private:
  const std::vector<Candidate>& hosts() const { return consignment.hosts->hosts; }

  std::vector<std::size_t> order_;
  std::size_t next_ = 0;            ///< position in order_
  std::vector<std::size_t> asked_;  ///< addresses, whether they answered or not; as in order_
  std::size_t hosts_asked_ = 0;     ///< … and how many hosts they belong to
};

}  // namespace relay::delivery
