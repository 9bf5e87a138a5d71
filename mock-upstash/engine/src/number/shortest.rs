//! The digits of a double, as the fpconv library finds them.
//!
//! Redis writes doubles with fpconv, whose algorithm is Grisu2 (Loitsch, "Printing Floating-Point
//! Numbers Quickly and Accurately with Integers", 2010). For one double in a thousand Grisu2 does not
//! find the shortest digits, or not the nearest of them, and clients see its choice: Redis writes
//! 46.03271924396768 as `46.032719243967676`. So the algorithm itself is followed here.

/// A number `fraction` × 2^`exponent`.
#[derive(Clone, Copy)]
struct Scaled {
    fraction: u64,
    exponent: i32,
}

/// The bit that a double's fraction has but does not store.
const HIDDEN_BIT: u64 = 1 << 52;

impl Scaled {
    /// A positive, finite double.
    fn of(value: f64) -> Scaled {
        let bits = value.to_bits();
        let fraction = bits & (HIDDEN_BIT - 1);
        match (bits >> 52) & 0x7ff {
            0 => Scaled {
                fraction,
                exponent: -1074,
            },
            exponent => Scaled {
                fraction: fraction | HIDDEN_BIT,
                exponent: exponent as i32 - 1075,
            },
        }
    }

    /// The same number with its highest bit set.
    fn normal(self) -> Scaled {
        let shift = self.fraction.leading_zeros();
        Scaled {
            fraction: self.fraction << shift,
            exponent: self.exponent - shift as i32,
        }
    }

    /// The numbers halfway to the doubles below and above.
    fn boundaries(self) -> (Scaled, Scaled) {
        let upper = Scaled {
            fraction: (self.fraction << 1) + 1,
            exponent: self.exponent - 1,
        }
        .normal();
        let shift = if self.fraction == HIDDEN_BIT { 2 } else { 1 };
        let fraction = (self.fraction << shift) - 1;
        let lower = Scaled {
            fraction: fraction << (self.exponent - shift - upper.exponent),
            exponent: upper.exponent,
        };
        (lower, upper)
    }

    /// The product, rounded to 64 bits.
    fn times(self, other: Scaled) -> Scaled {
        let product = u128::from(self.fraction) * u128::from(other.fraction) + (1 << 63);
        Scaled {
            fraction: (product >> 64) as u64,
            exponent: self.exponent + other.exponent + 64,
        }
    }
}

/// The decimal digits of a positive, finite double, and the power of ten that the last one counts.
pub(super) fn digits(value: f64) -> (Vec<u8>, i32) {
    let exact = Scaled::of(value);
    let (lower, upper) = exact.boundaries();
    let (power, ten_exponent) = power_of_ten(upper.exponent);
    let exact = exact.normal().times(power);
    let mut lower = lower.times(power);
    let mut upper = upper.times(power);
    lower.fraction += 1;
    upper.fraction -= 1;
    generate(exact, lower, upper, -ten_exponent)
}

/// Digits that lie within the boundaries, as few as the algorithm can vouch for.
fn generate(exact: Scaled, lower: Scaled, upper: Scaled, mut power: i32) -> (Vec<u8>, i32) {
    let wanted = upper.fraction - exact.fraction;
    let mut delta = upper.fraction - lower.fraction;
    let shift = upper.exponent.unsigned_abs();
    let one = 1u64 << shift;
    let mut whole = upper.fraction >> shift;
    let mut part = upper.fraction & (one - 1);
    let mut digits = Vec::with_capacity(18);

    let mut divisor = 1_000_000_000u64;
    for kappa in (0..10).rev() {
        let digit = whole / divisor;
        if digit != 0 || !digits.is_empty() {
            digits.push(b'0' + digit as u8);
        }
        whole -= digit * divisor;
        let rest = (whole << shift) + part;
        if rest <= delta {
            approach(&mut digits, delta, rest, divisor << shift, wanted);
            return (digits, power + kappa);
        }
        divisor /= 10;
    }
    let mut unit = 10u64;
    loop {
        part = part.wrapping_mul(10);
        delta = delta.wrapping_mul(10);
        power -= 1;
        let digit = part >> shift;
        if digit != 0 || !digits.is_empty() {
            digits.push(b'0' + digit as u8);
        }
        part &= one - 1;
        if part < delta {
            approach(&mut digits, delta, part, one, wanted.wrapping_mul(unit));
            return (digits, power);
        }
        unit = unit.wrapping_mul(10);
    }
}

/// Lowers the last digit while that brings the digits nearer to the exact number.
fn approach(digits: &mut [u8], delta: u64, mut rest: u64, step: u64, wanted: u64) {
    let Some(last) = digits.last_mut() else {
        return;
    };
    while rest < wanted
        && delta - rest >= step
        && (rest.wrapping_add(step) < wanted
            || wanted - rest > rest.wrapping_add(step).wrapping_sub(wanted))
    {
        *last -= 1;
        rest += step;
    }
}

/// A power of ten that brings a number with this binary exponent to one between -60 and -32.
fn power_of_ten(exponent: i32) -> (Scaled, i32) {
    let approximate =
        (f64::from(-(exponent + POWERS.len() as i32)) * std::f64::consts::LOG10_2) as i32;
    let mut index = ((approximate - FIRST_POWER) / STEP).clamp(0, POWERS.len() as i32 - 1) as usize;
    loop {
        let (fraction, own) = POWERS[index];
        let reached = exponent + own + 64;
        if reached < -60 && index + 1 < POWERS.len() {
            index += 1;
        } else if reached > -32 && index > 0 {
            index -= 1;
        } else {
            let power = Scaled {
                fraction,
                exponent: own,
            };
            return (power, FIRST_POWER + index as i32 * STEP);
        }
    }
}

/// The lowest power of ten in the table.
const FIRST_POWER: i32 = -348;
/// The distance between the powers in the table.
const STEP: i32 = 8;

/// Powers of ten, rounded to 64 bits.
const POWERS: [(u64, i32); 87] = [
    (0xfa8f_d5a0_081c_0288, -1220),
    (0xbaae_e17f_a23e_bf76, -1193),
    (0x8b16_fb20_3055_ac76, -1166),
    (0xcf42_894a_5dce_35ea, -1140),
    (0x9a6b_b0aa_5565_3b2d, -1113),
    (0xe61a_cf03_3d1a_45df, -1087),
    (0xab70_fe17_c79a_c6ca, -1060),
    (0xff77_b1fc_bebc_dc4f, -1034),
    (0xbe56_91ef_416b_d60c, -1007),
    (0x8dd0_1fad_907f_fc3c, -980),
    (0xd351_5c28_3155_9a83, -954),
    (0x9d71_ac8f_ada6_c9b5, -927),
    (0xea9c_2277_23ee_8bcb, -901),
    (0xaecc_4991_4078_536d, -874),
    (0x823c_1279_5db6_ce57, -847),
    (0xc210_9436_4dfb_5637, -821),
    (0x9096_ea6f_3848_984f, -794),
    (0xd774_85cb_2582_3ac7, -768),
    (0xa086_cfcd_97bf_97f4, -741),
    (0xef34_0a98_172a_ace5, -715),
    (0xb238_67fb_2a35_b28e, -688),
    (0x84c8_d4df_d2c6_3f3b, -661),
    (0xc5dd_4427_1ad3_cdba, -635),
    (0x936b_9fce_bb25_c996, -608),
    (0xdbac_6c24_7d62_a584, -582),
    (0xa3ab_6658_0d5f_daf6, -555),
    (0xf3e2_f893_dec3_f126, -529),
    (0xb5b5_ada8_aaff_80b8, -502),
    (0x8762_5f05_6c7c_4a8b, -475),
    (0xc9bc_ff60_34c1_3053, -449),
    (0x964e_858c_91ba_2655, -422),
    (0xdff9_7724_7029_7ebd, -396),
    (0xa6df_bd9f_b8e5_b88f, -369),
    (0xf8a9_5fcf_8874_7d94, -343),
    (0xb944_7093_8fa8_9bcf, -316),
    (0x8a08_f0f8_bf0f_156b, -289),
    (0xcdb0_2555_6531_31b6, -263),
    (0x993f_e2c6_d07b_7fac, -236),
    (0xe45c_10c4_2a2b_3b06, -210),
    (0xaa24_2499_6973_92d3, -183),
    (0xfd87_b5f2_8300_ca0e, -157),
    (0xbce5_0864_9211_1aeb, -130),
    (0x8cbc_cc09_6f50_88cc, -103),
    (0xd1b7_1758_e219_652c, -77),
    (0x9c40_0000_0000_0000, -50),
    (0xe8d4_a510_0000_0000, -24),
    (0xad78_ebc5_ac62_0000, 3),
    (0x813f_3978_f894_0984, 30),
    (0xc097_ce7b_c907_15b3, 56),
    (0x8f7e_32ce_7bea_5c70, 83),
    (0xd5d2_38a4_abe9_8068, 109),
    (0x9f4f_2726_179a_2245, 136),
    (0xed63_a231_d4c4_fb27, 162),
    (0xb0de_6538_8cc8_ada8, 189),
    (0x83c7_088e_1aab_65db, 216),
    (0xc45d_1df9_4271_1d9a, 242),
    (0x924d_692c_a61b_e758, 269),
    (0xda01_ee64_1a70_8dea, 295),
    (0xa26d_a399_9aef_774a, 322),
    (0xf209_787b_b47d_6b85, 348),
    (0xb454_e4a1_79dd_1877, 375),
    (0x865b_8692_5b9b_c5c2, 402),
    (0xc835_53c5_c896_5d3d, 428),
    (0x952a_b45c_fa97_a0b3, 455),
    (0xde46_9fbd_99a0_5fe3, 481),
    (0xa59b_c234_db39_8c25, 508),
    (0xf6c6_9a72_a398_9f5c, 534),
    (0xb7dc_bf53_54e9_bece, 561),
    (0x88fc_f317_f222_41e2, 588),
    (0xcc20_ce9b_d35c_78a5, 614),
    (0x9816_5af3_7b21_53df, 641),
    (0xe2a0_b5dc_971f_303a, 667),
    (0xa8d9_d153_5ce3_b396, 694),
    (0xfb9b_7cd9_a4a7_443c, 720),
    (0xbb76_4c4c_a7a4_4410, 747),
    (0x8bab_8eef_b640_9c1a, 774),
    (0xd01f_ef10_a657_842c, 800),
    (0x9b10_a4e5_e991_3129, 827),
    (0xe710_9bfb_a19c_0c9d, 853),
    (0xac28_20d9_623b_f429, 880),
    (0x8044_4b5e_7aa7_cf85, 907),
    (0xbf21_e440_03ac_dd2d, 933),
    (0x8e67_9c2f_5e44_ff8f, 960),
    (0xd433_179d_9c8c_b841, 986),
    (0x9e19_db92_b4e3_1ba9, 1013),
    (0xeb96_bf6e_badf_77d9, 1039),
    (0xaf87_023b_9bf0_ee6b, 1066),
];
