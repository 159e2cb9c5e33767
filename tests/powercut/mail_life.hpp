// Messages come, are tried, delivered, deferred and bounced; senders are told.
#pragma once

#include "tests/powercut/life.hpp"

namespace relay::powercut {

class MailLife : public Life {
 public:
  using Life::Life;

 protected:
  /// The 250 follows the commit, as in inbound/acceptance.
  base::Task<> accept(std::size_t copies);
  base::Task<> accept_large();

  /// A client that goes away in the middle: others soon write where its content lay.
  base::Task<> abandon_large();

  /// After a commit that many shared the spool gathers what comes next: then the end of the old and
  /// the beginning of the new share one.
  void replace_large();

  /// Where a big message lay, another is soon written: not before the end of the first is on the
  /// disk.
  base::Task<> finish_large();

  /// One copy is tried.
  base::Task<> finish_one();

  /// The sender of a message hears of all its failures.
  base::Task<> tell_one();

  /// Somebody comes whom greylisting does not know.
  base::Task<> visit();

 private:
  enum class End { Delivered, Deferred, Failed };

  /// From what the next attempt begins.
  struct Claim {
    std::uint32_t attempts = 0;
    std::uint32_t changes = 0;
  };

  base::Task<> finish(mail::CopyId copy, End end);
  base::Task<> record(mail::CopyId copy, End end);

  std::map<mail::CopyId, Claim> claims_;
};

}  // namespace relay::powercut
