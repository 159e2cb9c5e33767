#include "relay/auth/organisational_domain.hpp"

#include <libpsl.h>

namespace relay::auth {

OrganisationalDomain::OrganisationalDomain() {
  psl_ctx_t* list = psl_latest(nullptr);
  if (list)
    list_ = std::shared_ptr<const void>(
        list, [](const void* raw) { psl_free(static_cast<psl_ctx_t*>(const_cast<void*>(raw))); });
}

namespace {

const psl_ctx_t* list_or_builtin(const std::shared_ptr<const void>& list) {
  return list ? static_cast<const psl_ctx_t*>(list.get()) : psl_builtin();
}

}  // namespace

std::string OrganisationalDomain::of(const std::string& folded_domain) const {
  const auto* list = list_or_builtin(list_);
  if (!list) return folded_domain;
  const char* registrable = psl_registrable_domain(list, folded_domain.c_str());
  return registrable ? std::string(registrable) : folded_domain;
}

std::string OrganisationalDomain::by_registries(const std::string& folded_domain) const {
  const auto* list = list_or_builtin(list_);
  std::string name = folded_domain;
  for (std::size_t dot = name.find('.'); list && dot != std::string::npos; dot = name.find('.')) {
    const std::string parent = name.substr(dot + 1);
    if (psl_is_public_suffix2(list, parent.c_str(), PSL_TYPE_ICANN) == 1) return name;
    name = parent;
  }
  return folded_domain;
}

}  // namespace relay::auth
