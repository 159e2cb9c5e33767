#include "relay/net/io_errors.hpp"

#include <cerrno>

#include <boost/asio/ip/address_v6.hpp>

namespace relay::net {

bool is_exhaustion(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

ports::IoError io_error_of(int error_number) {
  if (is_exhaustion(error_number)) return ports::IoError::Exhausted;
  switch (error_number) {
    case ETIMEDOUT:
      return ports::IoError::Timeout;
    case ECONNREFUSED:
      return ports::IoError::Refused;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EACCES:
    case EPERM:
      return ports::IoError::Unreachable;
    default:
      return ports::IoError::Reset;
  }
}

ports::Endpoint endpoint_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  return ports::Endpoint{address, endpoint.port()};
}

std::string to_text(const ports::Endpoint& endpoint) {
  const std::string port = std::to_string(endpoint.port);
  if (endpoint.address.is_v6()) return "[" + endpoint.address.to_string() + "]:" + port;
  return endpoint.address.to_string() + ":" + port;
}

}  // namespace relay::net
