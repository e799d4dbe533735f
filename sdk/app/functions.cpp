// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <keyturn/user.hpp>

#include "sdk/app/function_call.hpp"

namespace keyturn {

Pending<Ejson> User::call_function(std::string name, EjsonArray arguments) const {
  return sdk::call_typed<Ejson>(*core_, name, Ejson(std::move(arguments)), {},
                                [](Ejson value) -> Result<Ejson> { return value; });
}

}  // namespace keyturn
