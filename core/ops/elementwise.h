// More operations, element by element: of a few steps in one pass over memory, and functions that the C library lacks.
// Operands broadcast and promote as those of pointwise.h. Those that say so take floating-point numbers only (DTypeError).
#pragma once

#include <optional>

#include "pointwise.h"

namespace gradus::core {

/// x - trunc(x); integers have none.
GRADUS_API Array frac(const Array& x);
/// NaN, infinity and -infinity replaced: by the dtype's largest and least number where none is given.
GRADUS_API Array nan_to_num(const Array& x, std::optional<double> nan, std::optional<double> posinf,
                            std::optional<double> neginf);
// Floating-point numbers only; NaN stays.
GRADUS_API Array hardshrink(const Array& x, double lambda);                  ///< |x| > lambda ? x : 0
GRADUS_API Array softshrink(const Array& x, double lambda);                  ///< towards 0 by lambda
GRADUS_API Array threshold(const Array& x, double threshold, double value);  ///< x > threshold ? x : value
GRADUS_API Array hardsigmoid(const Array& x);                                ///< (x + 3) / 6 held within [0, 1]
GRADUS_API Array hardswish(const Array& x);                                  ///< x hardsigmoid(x)
GRADUS_API Array prelu(const Array& x, const Array& weight);                 ///< x > 0 ? x : weight x
// Their gradients: dy times the slope at x.
GRADUS_API Array hardtanh_backward(const Array& dy, const Array& x, double low, double high);  ///< 1 between the bounds
GRADUS_API Array hardshrink_backward(const Array& dy, const Array& x, double lambda);          ///< softshrink's, too
GRADUS_API Array threshold_backward(const Array& dy, const Array& x, double threshold);
GRADUS_API Array hardsigmoid_backward(const Array& dy, const Array& x);
GRADUS_API Array hardswish_backward(const Array& dy, const Array& x);
GRADUS_API Array prelu_backward(const Array& dy, const Array& x, const Array& weight);
GRADUS_API Array prelu_backward_weight(const Array& dy, const Array& x);  ///< of a weight for each element

GRADUS_API Array copysign(const Array& a, const Array& b);  ///< |a| with b's sign; integers become float32
GRADUS_API Array fmax(const Array& a, const Array& b);      ///< maximum where both are numbers, else the one that is
GRADUS_API Array fmin(const Array& a, const Array& b);
/// a + weight (b - a), from b where that is nearer. Floating-point numbers only.
GRADUS_API Array lerp(const Array& a, const Array& b, double weight);
GRADUS_API Array lerp(const Array& a, const Array& b, const Array& weight);
GRADUS_API Array addcmul(const Array& x, const Array& a, const Array& b, const Scalar& value);  ///< x + value a b
GRADUS_API Array addcdiv(const Array& x, const Array& a, const Array& b, const Scalar& value);  ///< x + value a / b

/// The greatest common divisor and the least common multiple, not negative, unless the dtype does not hold them. Integers
/// only (DTypeError).
GRADUS_API Array gcd(const Array& a, const Array& b);
GRADUS_API Array lcm(const Array& a, const Array& b);
/// The next number of the result's dtype from a towards b. Floating-point numbers only.
GRADUS_API Array nextafter(const Array& a, const Array& b);

/// The inverse of erf.
GRADUS_API float erfinv_of(float x) noexcept;
GRADUS_API double erfinv_of(double x) noexcept;
/// Modified Bessel functions of the first kind, of order 0 and 1.
GRADUS_API float i0_of(float x) noexcept;
GRADUS_API double i0_of(double x) noexcept;
GRADUS_API float i1_of(float x) noexcept;
GRADUS_API double i1_of(double x) noexcept;
/// -x log(x), 0 at 0, -infinity below.
GRADUS_API float entr_of(float x) noexcept;
GRADUS_API double entr_of(double x) noexcept;
/// x log(1 + y), 0 where x is 0 and y is not NaN.
GRADUS_API float xlog1py_of(float x, float y) noexcept;
GRADUS_API double xlog1py_of(double x, double y) noexcept;
/// log2(2^a + 2^b).
GRADUS_API float logaddexp2_of(float a, float b) noexcept;
GRADUS_API double logaddexp2_of(double a, double b) noexcept;

/// j_n(scale x), n >= 0, the spherical Bessel function, computed in float64. Floating-point numbers only.
GRADUS_API Array spherical_bessel(const Array& x, std::int64_t n, double scale);

// clang-format off: one operation a line
inline constexpr UnaryRow erfinv{"erfinv", Yields::Floating, Kernels::Library, erfinv_of, erfinv_of};
inline constexpr UnaryRow i0{"i0", Yields::Floating, Kernels::Library, i0_of, i0_of};
inline constexpr UnaryRow i1{"i1", Yields::Floating, Kernels::Library, i1_of, i1_of};
inline constexpr UnaryRow entr{"entr", Yields::Floating, Kernels::Library, entr_of, entr_of};
inline constexpr BinaryRow xlog1py{"xlog1py", Yields::Floating, Kernels::Library, xlog1py_of, xlog1py_of};
inline constexpr BinaryRow logaddexp2{"logaddexp2", Yields::Floating, Kernels::Library, logaddexp2_of, logaddexp2_of};
/// The quotient rounded down, and cut off; integers stay integers.
inline constexpr BinaryRow floor_divide{
    .name = "floor_divide", .yields = Yields::Same, .kernels = Kernels::Each, .divides = true};
inline constexpr BinaryRow trunc_divide{
    .name = "trunc_divide", .yields = Yields::Same, .kernels = Kernels::Each, .divides = true};
/// The whole numbers q with which fmod and remainder are a - q b, exactly.
inline constexpr BinaryRow fmod_quotient{
    .name = "fmod_quotient", .yields = Yields::Same, .kernels = Kernels::Each, .divides = true};
inline constexpr BinaryRow remainder_quotient{
    .name = "remainder_quotient", .yields = Yields::Same, .kernels = Kernels::Each, .divides = true};
// clang-format on

}  // namespace gradus::core
