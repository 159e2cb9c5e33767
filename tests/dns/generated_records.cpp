#include "tests/dns/generated_records.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace relay::dns {

namespace {

std::string decimal(unsigned value) { return fmt::format("\\{:03}", value); }

}  // namespace

/// Any octet of a name or text, in one of the ways to write it.
std::string RecordMaker::octet() {
  static constexpr std::string_view kPlain = "abcxyzABCXYZ0123456789-_*/:=+";
  // The backslash is among the decimals: before a dot some servers misread it written twice.
  static constexpr std::string_view kSpecial = ".\"; #@$()'";
  switch (up_to(9)) {
    case 0:
      return decimal(static_cast<unsigned>(up_to(255)));
    case 1: {
      const char c = kSpecial[up_to(kSpecial.size() - 1)];
      return once_in(2) ? decimal(static_cast<unsigned char>(c)) : std::string{'\\', c};
    }
    default:
      return {kPlain[up_to(kPlain.size() - 1)]};
  }
}

std::string RecordMaker::label() {
  std::string text;
  const std::size_t octets = once_in(20) ? 63 : 1 + up_to(8);
  for (std::size_t i = 0; i < octets; ++i) text += octet();
  return text;
}

/// The target of an MX or PTR record.
std::string RecordMaker::host() {
  switch (up_to(15)) {
    case 0:
      return ".";
    case 1:
      return fmt::format("192.0.2.{}.", up_to(255));
    case 2:
      return "*.example.org.";
    case 3:
      return "http://mail.example.org.";
    case 4:
      return R"(mail\032host.example.org.)";
    case 5:
      return R"(mail.example.org\032.)";
    case 6:
      return label() + ".";
    case 7:
      return label() + "." + label() + ".example.org.";
    case 8: {
      std::string name;  // as long as names are
      for (const std::size_t octets : {60U, 60U, 60U, 60U}) name += std::string(octets, 'n') + ".";
      return name + "org.";
    }
    case 9:
      return fmt::format("MX{}.Example.ORG.", up_to(3));
    case 10:
      return fmt::format("_mx{}.example.org.", up_to(3));
    default:
      return fmt::format("mx{}.example.org.", up_to(2000));
  }
}

std::string RecordMaker::string_of(std::size_t octets) {
  std::string text = "\"";
  for (std::size_t i = 0; i < octets; ++i) text += octet();
  return text + "\"";
}

std::string RecordMaker::mx() {
  return fmt::format("{} {}", once_in(4) ? up_to(65'535) : up_to(3) * 10, host());
}

std::string RecordMaker::txt() {
  switch (up_to(11)) {
    case 0:
      return R"("v=spf1 ip4:192.0.2.7 " "-all")";
    case 1:
      return R"("V=SPF1 +all")";
    case 2:
      return R"("v=DMARC1; p=reject")";
    case 3:
      return R"("")";
    case 4: {
      if (!once_in(4)) return string_of(255);
      std::string text = R"("v=spf1 ")";  // longer than a record ever was here
      for (std::size_t i = 0; i < 40; ++i) text += ' ' + string_of(up_to(255));
      return text;
    }
    case 5: {
      std::string text = string_of(up_to(20));
      for (std::size_t i = up_to(4); i > 0; --i) text += ' ' + string_of(up_to(20));
      return text;
    }
    default:
      return string_of(up_to(60));
  }
}

std::string RecordMaker::v4() {
  return fmt::format("{}.{}.{}.{}", up_to(255), up_to(255), up_to(255), up_to(255));
}

std::string RecordMaker::v6() {
  switch (up_to(5)) {
    case 0:
      return "::ffff:" + v4();
    case 1:
      return fmt::format("::{:x}", up_to(65'535));
    default:
      return fmt::format("2001:db8:{:x}::{:x}", up_to(65'535), up_to(65'535));
  }
}

std::size_t RecordMaker::count(std::size_t many) {
  return once_in(25) ? 1 + up_to(many) : 1 + up_to(2);
}

template <class Make>
std::vector<std::string> RecordMaker::several(std::size_t many, Make make) {
  std::vector<std::string> values;
  std::size_t octets = 0;
  for (std::size_t left = count(many); left > 0; --left) {
    std::string value = !values.empty() && once_in(10) ? values.back() : make();
    octets += value.size() + 12;
    if (octets > 60'000) break;  // what a message holds, and a little less
    values.push_back(std::move(value));
  }
  return values;
}

std::vector<RecordSet> RecordMaker::sets(std::size_t owners) {
  std::vector<RecordSet> all;
  for (std::size_t i = 0; i < owners; ++i) {
    const std::string owner = fmt::format("g{}", i);
    const std::size_t kind = up_to(6);
    if (kind < 2) {
      all.push_back({owner, "MX", several(100, [this] { return mx(); })});
    } else if (kind < 4) {
      all.push_back({owner, "TXT", several(200, [this] { return txt(); })});
    } else {
      if (kind != 4) all.push_back({owner, "AAAA", several(200, [this] { return v6(); })});
      if (kind != 5) all.push_back({owner, "A", several(300, [this] { return v4(); })});
    }
  }
  return all;
}

std::vector<std::string> RecordMaker::targets() {
  return several(60, [this] { return host(); });
}

}  // namespace relay::dns
