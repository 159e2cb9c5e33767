// Balancers and gateways.
#include "tests/review/review_fixture.hpp"

namespace relay::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class NamedClients : public Review {
 protected:
  std::vector<std::string> with(const std::string& text) {
    return said("named-clients", quiet() + text +
                                     "[[domain]]\nname = \"fwd.example\"\n[domain.alias]\n"
                                     "\"info\" = \"me@mail.example\"\n");
  }
};

TEST_F(NamedClients, AreNotNamedByEverybody) {
  EXPECT_THAT(with("[[listener]]\naddress = \"127.0.0.1:2525\"\nproxy = [\"::/0\"]\n"),
              ElementsAre(HasSubstr("listener.proxy: ::/0 is everybody")));
  EXPECT_THAT(with("[limits]\nexempt = \"0.0.0.0/0\"\n"),
              ElementsAre(HasSubstr("limits.exempt: 0.0.0.0/0 is everybody: nothing is limited")));
  EXPECT_THAT(with("[[gateway]]\nfrom = [\"0.0.0.0/0\"]\n"),
              ElementsAre(HasSubstr("gateway.from: 0.0.0.0/0 is everybody")));
  EXPECT_THAT(with("[[listener]]\naddress = \"127.0.0.1:2525\"\nproxy = [\"10.0.0.0/8\"]\n"
                   "[limits]\nexempt = \"10.0.0.1\"\n[[gateway]]\nfrom = \"10.0.0.2\"\n"),
              IsEmpty());
}

TEST_F(NamedClients, AGatewayWithResultsHasNames) {
  const std::string gateway = "[[gateway]]\nfrom = \"10.0.0.2\"\nresults = \"gw.example\"\n";
  EXPECT_THAT(with(gateway), ElementsAre(HasSubstr("gateway.names is missing")));
  EXPECT_THAT(with(gateway + "names = \"gw.example\"\n"), IsEmpty());
}

}  // namespace
}  // namespace relay::review
