// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// The sum of many numbers as `$sum` and `$avg` give it: exact for integers, compensated for Doubles, so that
/// ten times 0.1 is 1.0; in the widest type of what was added, an integer in the narrowest that holds it.
class NumberSum {
 public:
  /// Takes an Int32, an Int64 or a Double.
  void add(const Ejson& number);
  [[nodiscard]] Ejson value() const;
  [[nodiscard]] double to_double() const;

 private:
  void add_double(double number);

  __extension__ using Wide = __int128;  // holds the sum of more Int64 than there is memory for
  Wide whole_ = 0;
  double sum_ = 0.0;    ///< Of the Doubles, rounded; NaN once there was an infinity.
  double rest_ = 0.0;   ///< What the rounding left out.
  double plain_ = 0.0;  ///< Without compensation, which makes NaN of infinities.
  bool has_int64_ = false;
  bool has_double_ = false;
};

}  // namespace keyturn::server::documents
