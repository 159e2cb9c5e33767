// One bit of each signature is wrong, as if arithmetic or memory had failed below us. This is no
// port of ours but the border to OpenSSL: what links `broken_signatures` has its calls of
// EVP_PKEY_sign and EVP_DigestSign led through here (--wrap of the linker), so that the self-check
// sees the fault where it would arise. What OpenSSL itself signs, for TLS, stays whole.
#pragma once

namespace relay::controls {

void break_signatures(bool broken);

}  // namespace relay::controls
