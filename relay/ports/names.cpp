// Texts for the errors of the ports.
#include "relay/ports/resolver.hpp"
#include "relay/ports/spool_error.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ports {

std::string_view describe(DnsError error) {
  switch (error) {
    case DnsError::NoSuchName:
      return "no such domain";
    case DnsError::NoData:
      return "no record of this type";
    case DnsError::NullMx:
      return "domain does not accept mail (null MX)";
    case DnsError::Temporary:
      return "temporary DNS failure";
    case DnsError::Bogus:
      return "DNSSEC validation failed";
    case DnsError::Timeout:
      return "DNS lookup timed out";
    case DnsError::Malformed:
      return "damaged DNS answer";
  }
  return "DNS error";
}

std::string_view describe(IoError error) {
  switch (error) {
    case IoError::Closed:
      return "connection closed by peer";
    case IoError::Reset:
      return "connection lost";
    case IoError::Timeout:
      return "timed out";
    case IoError::Refused:
      return "connection refused";
    case IoError::Unreachable:
      return "host unreachable";
    case IoError::TlsFailed:
      return "TLS failed";
    case IoError::TlsFlood:
      return "too many TLS handshake messages";
    case IoError::Exhausted:
      return "out of local resources";
    case IoError::NoSource:
      return "source address not usable here";
  }
  return "I/O error";
}

std::string_view describe(SpoolError error) {
  switch (error) {
    case SpoolError::Full:
      return "queue storage is full";
    case SpoolError::Unconfirmed:
      return "enough waits for a target that has not confirmed";
    case SpoolError::Poisoned:
      return "queue storage failed";
    case SpoolError::NotFound:
      return "not found";
    case SpoolError::Corrupt:
      return "stored message is damaged";
    case SpoolError::Stopping:
      return "shutting down";
    case SpoolError::Unavailable:
      return "queue storage cannot be reached";
    case SpoolError::Unknown:
      return "nobody knows whether it was stored";
  }
  return "storage error";
}

}  // namespace relay::ports
