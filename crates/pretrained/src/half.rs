//! Half-precision numbers as f32: every one of them is exact.

/// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits.
pub(crate) fn from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10) & 0x1f, u32::from(bits) & 0x3ff);
    let magnitude = match exponent {
        // Subnormal: a multiple of 2^-24.
        0 => (fraction as f32 * 2.0f32.powi(-24)).to_bits(),
        // Infinite, or no number.
        0x1f => 0xff << 23 | fraction << 13,
        e => (e + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// bfloat16: the upper half of an f32.
pub(crate) fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2.0f32.powi(-14)),
            (0x0001, 2.0f32.powi(-24)),
            (0x83ff, -1023.0 * 2.0f32.powi(-24)),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(from_f16(bits), value, "{bits:#06x}");
        }
        assert!(from_f16(0x7c01).is_nan() && from_f16(0xfc00) == f32::NEG_INFINITY);
        assert_eq!((from_bf16(0x3f80), from_bf16(0xc049)), (1.0, -3.140_625));
    }

    /// The plain twin: sign, fraction and power as in the standard's formula.
    #[test]
    fn every_f16_matches_the_formula() {
        for bits in 0..=u16::MAX {
            let (e, f) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff) / 1024.0);
            if e == 0x1f {
                continue;
            }
            let size = if e == 0 { f * 2f64.powi(-14) } else { (1.0 + f) * 2f64.powi(e - 15) };
            let value = if bits >> 15 == 1 { -size } else { size };
            assert_eq!(f64::from(from_f16(bits)), value, "{bits:#06x}");
        }
    }
}
