//! Whole numbers of any size, as far as exact conversion between binary and decimal needs them.

/// A whole number, in 32-bit digits from the least significant on, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Natural(Vec<u32>);

impl From<u64> for Natural {
    fn from(value: u64) -> Natural {
        Natural(vec![value as u32, (value >> 32) as u32]).trimmed()
    }
}

impl Natural {
    pub(crate) fn zero() -> Natural {
        Natural(Vec::new())
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Ten to a power.
    pub(crate) fn power_of_ten(power: u32) -> Natural {
        let mut result = Natural::from(1);
        for _ in 0..power / 9 {
            result.multiply_add(1_000_000_000, 0);
        }
        result.multiply_add(10u32.pow(power % 9), 0);
        result
    }

    /// Number of bits up to the topmost that is set.
    pub(crate) fn bits(&self) -> usize {
        match self.0.last() {
            Some(top) => self.0.len() * 32 - top.leading_zeros() as usize,
            None => 0,
        }
    }

    /// `self × factor + addend`, in place.
    pub(crate) fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for digit in &mut self.0 {
            let product = u64::from(*digit) * u64::from(factor) + carry;
            *digit = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    pub(crate) fn multiply(&self, other: &Natural) -> Natural {
        let mut product = vec![0u32; self.0.len() + other.0.len()];
        for (i, a) in self.0.iter().enumerate() {
            let mut carry = 0u64;
            for (j, b) in other.0.iter().enumerate() {
                let sum = u64::from(*a) * u64::from(*b) + u64::from(product[i + j]) + carry;
                product[i + j] = sum as u32;
                carry = sum >> 32;
            }
            product[i + other.0.len()] = carry as u32;
        }
        Natural(product).trimmed()
    }

    pub(crate) fn shift_left(&self, by: usize) -> Natural {
        let mut digits = vec![0u32; by / 32];
        let bit = by % 32;
        let mut carry = 0u64;
        for digit in &self.0 {
            let wide = (u64::from(*digit) << bit) | carry;
            digits.push(wide as u32);
            carry = wide >> 32;
        }
        digits.push(carry as u32);
        Natural(digits).trimmed()
    }

    /// Divides by `2^by` and rounds half to even.
    pub(crate) fn shift_right_rounding(&self, by: usize) -> Natural {
        if by == 0 {
            return self.clone();
        }
        let mut result = self.shift_right(by);
        let half = self.bit(by - 1);
        let below = (0..by - 1).any(|index| self.bit(index));
        if half && (below || result.bit(0)) {
            result.multiply_add(1, 1);
        }
        result
    }

    fn shift_right(&self, by: usize) -> Natural {
        let (skip, bit) = (by / 32, by % 32);
        let rest = self.0.get(skip..).unwrap_or_default();
        let digits = rest.iter().enumerate().map(|(i, low)| {
            let high = rest.get(i + 1).copied().unwrap_or(0);
            (((u64::from(high) << 32) | u64::from(*low)) >> bit) as u32
        });
        Natural(digits.collect()).trimmed()
    }

    fn bit(&self, index: usize) -> bool {
        self.0
            .get(index / 32)
            .is_some_and(|digit| digit >> (index % 32) & 1 == 1)
    }

    /// The quotient, which must fit 128 bits, and whether nothing remains.
    pub(crate) fn divide(mut self, divisor: &Natural) -> (u128, bool) {
        let mut quotient = 0u128;
        let steps = (self.bits() + 1).saturating_sub(divisor.bits());
        for step in (0..steps).rev() {
            quotient <<= 1;
            let shifted = divisor.shift_left(step);
            if self.at_least(&shifted) {
                self.subtract(&shifted);
                quotient |= 1;
            }
        }
        (quotient, self.is_zero())
    }

    fn at_least(&self, other: &Natural) -> bool {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
            .is_ge()
    }

    /// Takes away a number that is not larger.
    fn subtract(&mut self, other: &Natural) {
        let mut borrow = 0i64;
        for (i, digit) in self.0.iter_mut().enumerate() {
            let taken = other.0.get(i).copied().unwrap_or(0);
            let mut difference = i64::from(*digit) - i64::from(taken) - borrow;
            borrow = i64::from(difference < 0);
            difference += borrow << 32;
            *digit = difference as u32;
        }
        *self = Natural(std::mem::take(&mut self.0)).trimmed();
    }

    /// The decimal digits, without leading zeros; `0` for zero.
    pub(crate) fn to_decimal(&self) -> String {
        let mut rest = self.0.clone();
        let mut groups = Vec::new();
        while !rest.is_empty() {
            let mut remainder = 0u64;
            for digit in rest.iter_mut().rev() {
                let wide = (remainder << 32) | u64::from(*digit);
                *digit = (wide / 1_000_000_000) as u32;
                remainder = wide % 1_000_000_000;
            }
            groups.push(remainder);
            rest = Natural(rest).trimmed().0;
        }
        let Some(first) = groups.pop() else {
            return "0".to_owned();
        };
        let mut text = first.to_string();
        for group in groups.into_iter().rev() {
            text.push_str(&format!("{group:09}"));
        }
        text
    }

    fn trimmed(mut self) -> Natural {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}
