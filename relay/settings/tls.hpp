// [tls]: the certificate we show.
#pragma once

#include "relay/base/key_text.hpp"

namespace relay::settings {

struct Tls {
  base::KeyText certificate;
  base::KeyText key;
};

}  // namespace relay::settings
