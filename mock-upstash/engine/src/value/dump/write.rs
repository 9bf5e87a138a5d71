//! Writing values, in the plain form of each type that every version of Redis reads.

use super::kind;
use crate::value::{Hash, Value};

/// A type and a value, and whether fields of it expire.
pub(super) fn value(value: &Value) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    match value {
        Value::String(bytes) => {
            out.push(kind::STRING);
            string(&mut out, bytes);
        }
        Value::List(list) => {
            out.push(kind::LIST);
            length(&mut out, list.len() as u64);
            for element in list.iter() {
                string(&mut out, element);
            }
        }
        Value::Set(set) => {
            out.push(kind::SET);
            length(&mut out, set.len() as u64);
            for member in set.iter() {
                string(&mut out, &member);
            }
        }
        Value::SortedSet(set) => {
            out.push(kind::SORTED_SET);
            length(&mut out, set.len() as u64);
            for (member, score) in set.iter() {
                string(&mut out, member);
                out.extend_from_slice(&score.to_le_bytes());
            }
        }
        Value::Hash(hash) => return Some(self::hash(hash)),
        Value::Stream(_) | Value::Json(_) => return None,
    }
    Some((out, false))
}

fn hash(hash: &Hash) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let soonest = hash.soonest();
    match soonest {
        Some(at) => {
            out.push(kind::HASH_EXPIRING);
            out.extend_from_slice(&at.to_le_bytes());
        }
        None => out.push(kind::HASH),
    }
    length(&mut out, hash.len() as u64);
    for (field, value) in hash.iter() {
        if let Some(soonest) = soonest {
            // One more than the distance from the soonest; 0 is no expiry.
            let distance = hash.expires_at(field).map_or(0, |at| at - soonest + 1);
            length(&mut out, distance);
        }
        string(&mut out, field);
        string(&mut out, value);
    }
    (out, soonest.is_some())
}

/// A length in as few bytes as it takes.
fn length(out: &mut Vec<u8>, length: u64) {
    match length {
        0..=0x3f => out.push(length as u8),
        0x40..=0x3fff => out.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
        0x4000..=0xffff_ffff => {
            out.push(0x80);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
