//! Geohashes of up to 52 bits, and distances on the sphere, with the arithmetic of Redis's geohash.c
//! and geohash_helper.c step by step: clients see every digit.

/// Most steps: 26 bits for each coordinate.
pub(super) const MAX_STEP: u8 = 26;

/// Radius of the sphere that distances are reckoned on, in metres.
const EARTH_RADIUS: f64 = 6_372_797.560_856;

/// Longitudes and latitudes that can be hashed (EPSG:900913).
const LONGITUDES: (f64, f64) = (-180.0, 180.0);
const LATITUDES: (f64, f64) = (-85.051_128_78, 85.051_128_78);

const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;
const LONGITUDE_BITS: u64 = 0xaaaa_aaaa_aaaa_aaaa;

/// A place on the sphere, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Position {
    pub(super) longitude: f64,
    pub(super) latitude: f64,
}

impl Position {
    /// Whether it can be hashed.
    pub(super) fn is_valid(self) -> bool {
        let within = |value: f64, (min, max): (f64, f64)| value >= min && value <= max;
        within(self.longitude, LONGITUDES) && within(self.latitude, LATITUDES)
    }

    /// The middle of the cell that a score names.
    pub(super) fn of_score(score: f64) -> Position {
        let area = Cell {
            bits: as_machine_word(score),
            step: MAX_STEP,
        }
        .area();
        let middle = |(min, max): (f64, f64), (lowest, highest): (f64, f64)| {
            ((min + max) / 2.0).min(highest).max(lowest)
        };
        Position {
            longitude: middle(area.longitudes, LONGITUDES),
            latitude: middle(area.latitudes, LATITUDES),
        }
    }

    /// The score that it is stored under.
    pub(super) fn score(self) -> f64 {
        Cell::around(self, MAX_STEP).bits as f64
    }

    /// The geohash string of eleven characters that other systems use. They hash latitudes up to the
    /// poles; 52 bits fill ten characters, and the last one is always `0`.
    pub(super) fn geohash(self) -> [u8; 11] {
        const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = encode(self, (-90.0, 90.0), MAX_STEP);
        let mut text = [b'0'; 11];
        for (place, slot) in text.iter_mut().take(10).enumerate() {
            let index = (bits >> (52 - (place + 1) * 5)) & 0x1f;
            *slot = ALPHABET[index as usize];
        }
        text
    }

    /// The distance to another position in metres, by the haversine formula.
    pub(super) fn distance(self, other: Position) -> f64 {
        let v = ((other.longitude.to_radians_as_redis() - self.longitude.to_radians_as_redis())
            / 2.0)
            .sin();
        if v == 0.0 {
            return self.latitude_distance(other);
        }
        let (from, to) = (
            self.latitude.to_radians_as_redis(),
            other.latitude.to_radians_as_redis(),
        );
        let u = ((to - from) / 2.0).sin();
        let a = u * u + from.cos() * to.cos() * v * v;
        2.0 * EARTH_RADIUS * a.sqrt().asin()
    }

    /// The distance along a meridian in metres.
    pub(super) fn latitude_distance(self, other: Position) -> f64 {
        let difference = other.latitude.to_radians_as_redis() - self.latitude.to_radians_as_redis();
        EARTH_RADIUS * difference.abs()
    }
}

trait Degrees {
    /// Multiplied by π/180 in one step, which rounds as Redis does.
    fn to_radians_as_redis(self) -> f64;
}

impl Degrees for f64 {
    fn to_radians_as_redis(self) -> f64 {
        self * (std::f64::consts::PI / 180.0)
    }
}

/// A score as the bits of a hash. GEOADD gives none that needs care; ZADD may, and what C leaves open
/// for numbers below zero and beyond 64 bits is then what x86-64 makes of them, as in Redis.
fn as_machine_word(score: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    let signed = |value: f64| {
        if (-HALF..HALF).contains(&value) {
            value as i64 as u64
        } else {
            1 << 63
        }
    };
    if score < HALF {
        signed(score)
    } else {
        signed(score - HALF) ^ (1 << 63)
    }
}

/// Degrees that a distance in metres spans on a great circle.
pub(super) fn degrees(metres: f64) -> f64 {
    metres / EARTH_RADIUS / (std::f64::consts::PI / 180.0)
}

/// Cosine of an angle in degrees.
pub(super) fn cosine(degrees: f64) -> f64 {
    degrees.to_radians_as_redis().cos()
}

/// A cell of the grid with 2^`step` cells along each coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) bits: u64,
    pub(super) step: u8,
}

/// The longitudes and latitudes that a cell covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) longitudes: (f64, f64),
    pub(super) latitudes: (f64, f64),
}

impl Cell {
    /// The cell in which a position lies.
    pub(super) fn around(position: Position, step: u8) -> Cell {
        Cell {
            bits: encode(position, LATITUDES, step),
            step,
        }
    }

    pub(super) fn area(self) -> Area {
        let cells = (1u64 << self.step) as f64;
        let bounds = |part: u32, (min, max): (f64, f64)| {
            let part = f64::from(part);
            let scale = max - min;
            (
                min + (part / cells) * scale,
                min + ((part + 1.0) / cells) * scale,
            )
        };
        Area {
            longitudes: bounds(gather(self.bits >> 1), LONGITUDES),
            latitudes: bounds(gather(self.bits), LATITUDES),
        }
    }

    /// The cell some steps to the east and north (-1, 0 or 1 each), around the globe if need be.
    pub(super) fn moved(self, east: i8, north: i8) -> Cell {
        let unused = 64 - u32::from(self.step) * 2;
        let shift = |own: u64, other: u64, by: i8| {
            let (own_bits, gaps) = (self.bits & own, other >> unused);
            let moved = match by {
                0 => return own_bits,
                1.. => own_bits.wrapping_add(gaps.wrapping_add(1)),
                _ => (own_bits | gaps).wrapping_sub(gaps.wrapping_add(1)),
            };
            moved & (own >> unused)
        };
        let longitude = shift(LONGITUDE_BITS, LATITUDE_BITS, east);
        let latitude = shift(LATITUDE_BITS, LONGITUDE_BITS, north);
        Cell {
            bits: longitude | latitude,
            ..self
        }
    }

    /// The scores of positions within it: from the first to below the second.
    pub(super) fn scores(self) -> (f64, f64) {
        let unused = 52 - u32::from(self.step) * 2;
        let align = |bits: u64| (bits << unused) as f64;
        (align(self.bits), align(self.bits.wrapping_add(1)))
    }
}

fn encode(position: Position, latitudes: (f64, f64), step: u8) -> u64 {
    let part = |value: f64, (min, max): (f64, f64)| {
        let offset = (value - min) / (max - min) * (1u64 << step) as f64;
        offset as u64 as u32
    };
    spread(part(position.latitude, latitudes)) | (spread(part(position.longitude, LONGITUDES)) << 1)
}

/// Puts a gap before each bit.
fn spread(bits: u32) -> u64 {
    let mut bits = u64::from(bits);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, LATITUDE_BITS),
    ] {
        bits = (bits | (bits << shift)) & mask;
    }
    bits
}

/// Takes every second bit, from the lowest on.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | (bits >> shift)) & mask;
    }
    bits as u32
}
