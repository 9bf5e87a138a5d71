//! HyperLogLogs in Redis's own format, byte for byte: a header, then registers either packed six bits
//! each (dense) or as runs (sparse).
//!
//! The header is `HYLL`, the encoding, three bytes of nothing, and the last cardinality in eight bytes,
//! of which the top bit says that it is out of date. Strings that only look like this may be made to
//! deceive, so every read is checked.

/// Number of registers: an element's register is told by 14 bits of its hash.
const REGISTERS: usize = 1 << 14;
/// Bits of the hash in which zeros are counted.
const HASH_BITS: u32 = 50;
const HEADER: usize = 16;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
const DENSE_LENGTH: usize = HEADER + REGISTERS * 6 / 8;
/// Longest sparse string (`hll-sparse-max-bytes`).
const SPARSE_LENGTH: usize = 3000;
/// Largest register that a sparse string can hold.
const SPARSE_VALUE: u8 = 32;
/// Longest run of one value that an opcode can say.
const VALUE_RUN: usize = 4;
/// Longest run of zeros that a short opcode can say.
const ZERO_RUN: usize = 64;

/// Registers do not add up: the string was not made by these commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupted;

/// A part of a sparse string: how many registers have one value, and its length in bytes.
#[derive(Debug, Clone, Copy)]
struct Run {
    value: u8,
    span: usize,
    bytes: usize,
}

/// A HyperLogLog without elements.
pub fn new() -> Vec<u8> {
    let mut bytes = b"HYLL\x01".to_vec();
    bytes.resize(HEADER, 0);
    push_zeros(&mut bytes, REGISTERS);
    bytes
}

/// Whether a string has the header and the length of a HyperLogLog.
pub fn is_valid(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER
        && bytes.starts_with(b"HYLL")
        && bytes[4] <= SPARSE
        && (bytes[4] != DENSE || bytes.len() == DENSE_LENGTH)
}

/// Whether registers are packed rather than told in runs.
pub fn is_dense(bytes: &[u8]) -> bool {
    bytes.get(4) == Some(&DENSE)
}

/// Counts an element; says whether a register changed.
///
/// # Errors
/// When the registers do not add up.
pub fn add(bytes: &mut Vec<u8>, element: &[u8]) -> Result<bool, Corrupted> {
    let hash = murmur(element);
    let register = (hash as usize) & (REGISTERS - 1);
    let zeros = ((hash >> 14) | 1 << HASH_BITS).trailing_zeros();
    raise(bytes, register, zeros as u8 + 1)
}

/// Raises a register to a value; says whether it was lower.
///
/// # Errors
/// When the registers do not add up.
pub fn raise(bytes: &mut Vec<u8>, register: usize, value: u8) -> Result<bool, Corrupted> {
    if is_dense(bytes) {
        return raise_dense(bytes, register, value);
    }
    match raise_sparse(bytes, register, value)? {
        Some(changed) => Ok(changed),
        None => {
            make_dense(bytes)?;
            raise_dense(bytes, register, value)
        }
    }
}

/// Says that the cardinality in the header is out of date.
pub fn invalidate(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(15) {
        *byte |= 0x80;
    }
}

/// The cardinality in the header, unless it is out of date.
pub fn cached(bytes: &[u8]) -> Option<u64> {
    let card: [u8; 8] = bytes.get(8..HEADER)?.try_into().ok()?;
    (card[7] & 0x80 == 0).then(|| u64::from_le_bytes(card))
}

/// Puts the cardinality into the header.
pub fn set_cached(bytes: &mut [u8], cardinality: u64) {
    if let Some(card) = bytes.get_mut(8..HEADER) {
        card.copy_from_slice(&cardinality.to_le_bytes());
    }
}

/// Raises each of `registers` to the one of this HyperLogLog.
///
/// # Errors
/// When the registers do not add up.
pub fn merge(registers: &mut [u8], bytes: &[u8]) -> Result<(), Corrupted> {
    if is_dense(bytes) {
        for (index, register) in registers.iter_mut().enumerate() {
            *register = (*register).max(dense(bytes, index).ok_or(Corrupted)?);
        }
        return Ok(());
    }
    let (mut at, mut index) = (HEADER, 0);
    while at < bytes.len() {
        let run = run_at(bytes, at).ok_or(Corrupted)?;
        let covered = registers
            .get_mut(index..index + run.span)
            .ok_or(Corrupted)?;
        for register in covered {
            *register = (*register).max(run.value);
        }
        (at, index) = (at + run.bytes, index + run.span);
    }
    if index == REGISTERS {
        Ok(())
    } else {
        Err(Corrupted)
    }
}

/// Registers that are all zero.
pub fn no_registers() -> Vec<u8> {
    vec![0; REGISTERS]
}

/// How many distinct elements registers stand for, by Otmar Ertl's estimator (arXiv:1702.01284), as
/// Redis computes it.
pub fn estimate(registers: &[u8]) -> u64 {
    let mut histogram = [0u32; 64];
    for register in registers {
        histogram[usize::from(register & 63)] += 1;
    }
    let m = REGISTERS as f64;
    let full = histogram[HASH_BITS as usize + 1];
    let mut z = m * tau((m - f64::from(full)) / m);
    for count in histogram[1..=HASH_BITS as usize].iter().rev() {
        z = (z + f64::from(*count)) * 0.5;
    }
    z += m * sigma(f64::from(histogram[0]) / m);
    (0.721_347_520_444_481_7 * m * m / z).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if before == z {
            return z / 3.0;
        }
    }
}

/// Turns a sparse string into a dense one.
///
/// # Errors
/// When the registers do not add up.
pub fn make_dense(bytes: &mut Vec<u8>) -> Result<(), Corrupted> {
    if is_dense(bytes) {
        return Ok(());
    }
    let mut registers = no_registers();
    merge(&mut registers, bytes)?;
    bytes.truncate(HEADER);
    bytes[4] = DENSE;
    bytes.resize(DENSE_LENGTH, 0);
    for (index, register) in registers.into_iter().enumerate() {
        raise_dense(bytes, index, register)?;
    }
    Ok(())
}

/// A register of a dense string: six bits, the lowest first, that may reach into the next byte.
fn dense(bytes: &[u8], index: usize) -> Option<u8> {
    let (byte, shift) = (HEADER + index * 6 / 8, index * 6 % 8);
    let low = u16::from(*bytes.get(byte)?);
    let high = u16::from(bytes.get(byte + 1).copied().unwrap_or(0));
    Some(((low | high << 8) >> shift & 63) as u8)
}

fn raise_dense(bytes: &mut [u8], index: usize, value: u8) -> Result<bool, Corrupted> {
    if dense(bytes, index).ok_or(Corrupted)? >= value {
        return Ok(false);
    }
    let (byte, shift) = (HEADER + index * 6 / 8, index * 6 % 8);
    let (mask, bits) = (63u16 << shift, u16::from(value) << shift);
    for (place, part) in [(byte, 0), (byte + 1, 8)] {
        if let Some(slot) = bytes.get_mut(place) {
            *slot = *slot & !((mask >> part) as u8) | (bits >> part) as u8;
        }
    }
    Ok(true)
}

/// The opcode at a place: `00` a short run of zeros, `01` a long one, `1` a run of a value.
fn run_at(bytes: &[u8], at: usize) -> Option<Run> {
    let first = *bytes.get(at)?;
    let (value, span, length) = match first {
        0x00..=0x3f => (0, usize::from(first) + 1, 1),
        0x40..=0x7f => {
            let second = *bytes.get(at + 1)?;
            let span = (usize::from(first & 0x3f) << 8 | usize::from(second)) + 1;
            (0, span, 2)
        }
        _ => ((first >> 2 & 0x1f) + 1, usize::from(first & 3) + 1, 1),
    };
    Some(Run {
        value,
        span,
        bytes: length,
    })
}

fn push_zeros(bytes: &mut Vec<u8>, span: usize) {
    if span > ZERO_RUN {
        bytes.push(0x40 | ((span - 1) >> 8) as u8);
        bytes.push((span - 1) as u8);
    } else if span > 0 {
        bytes.push((span - 1) as u8);
    }
}

fn push_value(bytes: &mut Vec<u8>, value: u8, span: usize) {
    if span > 0 {
        bytes.push(0x80 | (value - 1) << 2 | (span - 1) as u8);
    }
}

/// Raises a register of a sparse string; `None` when it has to become dense for that.
fn raise_sparse(
    bytes: &mut Vec<u8>,
    register: usize,
    value: u8,
) -> Result<Option<bool>, Corrupted> {
    if value > SPARSE_VALUE {
        return Ok(None);
    }
    let (mut at, mut first, mut previous) = (HEADER, 0, None);
    let run = loop {
        let run = run_at(bytes, at).ok_or(Corrupted)?;
        if register < first + run.span {
            break run;
        }
        previous = Some(at);
        (at, first) = (at + run.bytes, first + run.span);
    };
    if run.value >= value {
        return Ok(Some(false));
    }
    let (before, after) = (register - first, first + run.span - 1 - register);
    let mut opcodes = Vec::with_capacity(5);
    if run.value == 0 {
        push_zeros(&mut opcodes, before);
        push_value(&mut opcodes, value, 1);
        push_zeros(&mut opcodes, after);
    } else {
        push_value(&mut opcodes, run.value, before);
        push_value(&mut opcodes, value, 1);
        push_value(&mut opcodes, run.value, after);
    }
    if opcodes.len() > run.bytes && bytes.len() + opcodes.len() - run.bytes > SPARSE_LENGTH {
        return Ok(None);
    }
    bytes.splice(at..at + run.bytes, opcodes);
    join_runs(bytes, previous.unwrap_or(HEADER));
    invalidate(bytes);
    Ok(Some(true))
}

/// Joins neighbouring runs of one value, as far from the change as Redis looks.
fn join_runs(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..5 {
        let Some(run) = run_at(bytes, at) else {
            return;
        };
        if run.value == 0 {
            at += run.bytes;
            continue;
        }
        if let Some(next) = run_at(bytes, at + 1)
            && next.value == run.value
            && run.span + next.span <= VALUE_RUN
        {
            let mut joined = Vec::with_capacity(1);
            push_value(&mut joined, run.value, run.span + next.span);
            bytes.splice(at..at + 2, joined);
            continue;
        }
        at += 1;
    }
}

/// MurmurHash64A with the seed that Redis uses.
fn murmur(data: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const R: u32 = 47;
    let mut hash = 0xadc8_3b19 ^ (data.len() as u64).wrapping_mul(M);
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        let mut k = u64::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> R;
        hash = (hash ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(M);
    }
    hash = (hash ^ hash >> R).wrapping_mul(M);
    hash ^ hash >> R
}
