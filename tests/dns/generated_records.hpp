// Record sets made from a seed, in the notation of zone files: names and texts in every legal form,
// useful or not, few or many.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace relay::dns {

/// One record set. `values` may have the same record twice.
struct RecordSet {
  std::string owner;  ///< below example.org, without it
  std::string type;   ///< A, AAAA, MX or TXT
  std::vector<std::string> values;
};

class RecordMaker {
 public:
  explicit RecordMaker(unsigned seed) : dice_(seed) {}

  /// So many owners, each with one set or, of addresses, two.
  std::vector<RecordSet> sets(std::size_t owners);

  /// The targets of a PTR record.
  std::vector<std::string> targets();

 private:
  std::size_t up_to(std::size_t most) { return dice_() % (most + 1); }

  bool once_in(std::size_t times) { return dice_() % times == 0; }

  std::string octet();
  std::string label();
  std::string host();
  std::string string_of(std::size_t octets);
  std::string mx();
  std::string txt();
  std::string v4();
  std::string v6();

  /// How many records: mostly a few, sometimes more than any cap there ever was.
  std::size_t count(std::size_t many);

  template <class Make>
  std::vector<std::string> several(std::size_t many, Make make);

  std::mt19937 dice_;
};

}  // namespace relay::dns
