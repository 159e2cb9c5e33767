#include "relay/auth/organisational_domain.hpp"

#include <libpsl.h>

namespace relay::auth {

OrganisationalDomain::OrganisationalDomain() {
  psl_ctx_t* list = psl_latest(nullptr);
  if (list)
    list_ = std::shared_ptr<const void>(
        list, [](const void* raw) { psl_free(static_cast<psl_ctx_t*>(const_cast<void*>(raw))); });
}

std::string OrganisationalDomain::of(const std::string& folded_domain) const {
  const auto* list = list_ ? static_cast<const psl_ctx_t*>(list_.get()) : psl_builtin();
  if (!list) return folded_domain;
  const char* registrable = psl_registrable_domain(list, folded_domain.c_str());
  return registrable ? std::string(registrable) : folded_domain;
}

}  // namespace relay::auth
