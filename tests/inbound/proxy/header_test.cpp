#include "relay/inbound/proxy/header.hpp"

#include <string>

#include <gtest/gtest.h>

namespace relay::inbound::proxy {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

/// A header of version 2; `length` may lie.
std::string binary(unsigned command, unsigned protocol, const std::string& block, int length = -1) {
  const auto announced =
      static_cast<unsigned>(length < 0 ? static_cast<int>(block.size()) : length);
  std::string out = kSignature;
  out += static_cast<char>(command);
  out += static_cast<char>(protocol);
  out += static_cast<char>(announced >> 8U);
  out += static_cast<char>(announced & 0xFFU);
  return out + block;
}

const std::string kBlock4("\xC0\x00\x02\x07\x0A\x00\x00\x01\x9C\x40\x00\x19", 12);

Fault fault(std::string_view octets) {
  const auto header = parse_header(octets);
  EXPECT_FALSE(header) << octets;
  return header ? Fault::NoHeader : header.error();
}

std::string source(std::string_view octets) {
  const auto header = parse_header(octets);
  if (!header) return "no header";
  if (!header->source) return "own";
  return header->source->address.to_string() + ' ' + std::to_string(header->source->port);
}

TEST(ProxyHeader, ReadsALine) {
  EXPECT_EQ(source("PROXY TCP4 192.0.2.7 10.0.0.1 40000 25\r\n"), "192.0.2.7 40000");
  EXPECT_EQ(source("PROXY TCP6 2001:db8::7 2001:db8::1 65535 0\r\n"), "2001:db8::7 65535");
  EXPECT_EQ(source("PROXY UNKNOWN\r\n"), "own");
  EXPECT_EQ(source("PROXY UNKNOWN ffff:: x 1 2\r\n"), "own");
  const auto header = parse_header("PROXY TCP4 192.0.2.7 10.0.0.1 40000 25\r\nEHLO x\r\n");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->octets, 40U) << "what follows is the client's";
}

TEST(ProxyHeader, TakesNothingThatIsAlmostALine) {
  for (const char* line :
       {"PROXY TCP4 192.0.2.7 10.0.0.1 40000\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 40000 25 \r\n",
        "PROXY TCP4  192.0.2.7 10.0.0.1 40000 25\r\n", "PROXY tcp4 192.0.2.7 10.0.0.1 1 25\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 040 25\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 65536 25\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +1 25\r\n", "PROXY TCP4 192.0.02.7 10.0.0.1 1 25\r\n",
        "PROXY TCP4 192.0.2 10.0.0.1 1 25\r\n", "PROXY TCP4 ::1 10.0.0.1 1 25\r\n",
        "PROXY TCP6 192.0.2.7 ::1 1 25\r\n", "PROXY TCP6 fe80::1%lo ::1 1 25\r\n",
        "PROXY TCP6 [::1] ::1 1 25\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 1 25\n\r\n",
        "PROXY TCP4 192.0.2.7 nonsense 1 25\r\n", "PROXY UNKNOWNS\r\n", "PROXY \r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 1 25\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 1 \r\n"}) {
    EXPECT_EQ(fault(line), Fault::Malformed) << line;
  }
  EXPECT_EQ(fault("proxy TCP4 192.0.2.7 10.0.0.1 1 25\r\n"), Fault::NoHeader);
  EXPECT_EQ(fault("EHLO client.example\r\n"), Fault::NoHeader);
  EXPECT_EQ(fault(std::string("\0", 1)), Fault::NoHeader);
}

TEST(ProxyHeader, HasABound) {
  const std::string line = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  ASSERT_EQ(line.size(), kMaxLineOctets);
  EXPECT_EQ(source(line), "own");
  EXPECT_EQ(fault("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"), Fault::TooLong);
  EXPECT_EQ(fault("PROXY UNKNOWN " + std::string(200, 'x')), Fault::TooLong);
  EXPECT_EQ(source(binary(0x21, 0x11, kBlock4 + std::string(4084, 'x'))), "192.0.2.7 40000");
  EXPECT_EQ(fault(binary(0x21, 0x11, kBlock4, 4097)), Fault::TooLong) << "not read on";
}

TEST(ProxyHeader, ReadsOctets) {
  EXPECT_EQ(source(binary(0x21, 0x11, kBlock4)), "192.0.2.7 40000");
  const std::string tlv("\x04\x00\x03xyz", 6);
  const auto header = parse_header(binary(0x21, 0x11, kBlock4 + tlv) + "EHLO x\r\n");
  ASSERT_TRUE(header) << "TLVs are skipped";
  EXPECT_EQ(header->octets, kFixedOctets + 18);
  std::string block6(36, '\0');
  block6[0] = '\x20';
  block6[1] = '\x01';
  block6[15] = '\x07';
  block6[33] = '\x19';
  EXPECT_EQ(source(binary(0x21, 0x21, block6)), "2001::7 25");
  EXPECT_EQ(source(binary(0x20, 0x00, "")), "own");
  EXPECT_EQ(source(binary(0x20, 0x11, kBlock4)), "own") << "LOCAL: whatever it says";
  EXPECT_EQ(source(binary(0x21, 0x00, "anything")), "own");
  EXPECT_EQ(source(binary(0x21, 0x31, std::string(216, 'x'))), "own");
}

TEST(ProxyHeader, TakesNoOctetsThatTheSpecificationDoesNotKnow) {
  EXPECT_EQ(fault(binary(0x11, 0x11, kBlock4)), Fault::Malformed) << "version 1";
  EXPECT_EQ(fault(binary(0x22, 0x11, kBlock4)), Fault::Malformed) << "command";
  EXPECT_EQ(fault(binary(0x21, 0x12, kBlock4)), Fault::Malformed) << "datagrams";
  EXPECT_EQ(fault(binary(0x21, 0x41, kBlock4)), Fault::Malformed) << "family";
  EXPECT_EQ(fault(binary(0x21, 0x11, kBlock4.substr(1))), Fault::Malformed) << "too short";
  EXPECT_EQ(fault(binary(0x21, 0x21, kBlock4)), Fault::Malformed);
  EXPECT_EQ(fault(binary(0x21, 0x31, std::string(215, 'x'))), Fault::Malformed);
  EXPECT_EQ(fault(kSignature + "\x10"), Fault::Malformed) << "at once";
}

TEST(ProxyHeader, WaitsForTheRest) {
  for (const std::string& whole :
       {std::string("PROXY TCP4 192.0.2.7 10.0.0.1 40000 25\r\n"), binary(0x21, 0x11, kBlock4)}) {
    for (std::size_t octets = 0; octets < whole.size(); ++octets) {
      EXPECT_EQ(fault(whole.substr(0, octets)), Fault::Incomplete) << octets;
    }
    EXPECT_EQ(source(whole), "192.0.2.7 40000");
  }
}

TEST(ProxyHeader, IsToldFromOtherOpenings) {
  EXPECT_TRUE(begins_header("PROXY TCP4"));
  EXPECT_TRUE(begins_header(kSignature));
  EXPECT_FALSE(begins_header("EHLO x"));
  EXPECT_FALSE(begins_header("\r\nEHLO"));
  EXPECT_FALSE(begins_header(""));
}

}  // namespace
}  // namespace relay::inbound::proxy
