//! Replies folded into the least expressive form that two transports share, so that neither is
//! blamed for what its protocol cannot say.

use scenarios::print::double;
use scenarios::reply::{Expressiveness, Reply};

/// The reply as a transport of the given expressiveness would have carried it.
///
/// RESP3 maps become flat arrays, doubles and big numbers text, truth values 1 and 0; below RESP2 a
/// status becomes a string (Redis protocol specification, RESP3 to RESP2 conversions).
pub fn fold(reply: &Reply, to: Expressiveness) -> Reply {
    let nested = |items: &[Reply]| items.iter().map(|item| fold(item, to)).collect();
    match reply {
        Reply::Array(items) => Reply::Array(nested(items)),
        Reply::Status(text) if to == Expressiveness::Json => Reply::Bulk(text.clone().into_bytes()),
        _ if to == Expressiveness::Resp3 => match reply {
            Reply::Map(pairs) => Reply::Map(
                pairs
                    .iter()
                    .map(|(key, value)| (fold(key, to), fold(value, to)))
                    .collect(),
            ),
            Reply::Set(items) => Reply::Set(nested(items)),
            other => other.clone(),
        },
        Reply::Map(pairs) => Reply::Array(
            pairs
                .iter()
                .flat_map(|(key, value)| [fold(key, to), fold(value, to)])
                .collect(),
        ),
        Reply::Set(items) => Reply::Array(nested(items)),
        Reply::Double(number) => Reply::Bulk(double(*number).into_bytes()),
        Reply::Boolean(truth) => Reply::Integer(i64::from(*truth)),
        Reply::BigNumber(digits) => Reply::Bulk(digits.clone().into_bytes()),
        other => other.clone(),
    }
}

/// Whether the reply holds, at any depth, a set: members that came without an order.
pub(super) fn unordered(reply: &Reply) -> bool {
    match reply {
        Reply::Set(_) => true,
        Reply::Array(items) => items.iter().any(unordered),
        Reply::Map(pairs) => pairs
            .iter()
            .any(|(key, value)| unordered(key) || unordered(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Bulk(text.as_bytes().to_vec())
    }

    #[test]
    fn a_status_is_text_where_json_carries_it() {
        assert_eq!(
            fold(&Reply::Status("OK".into()), Expressiveness::Json),
            text("OK")
        );
        assert_eq!(
            fold(&Reply::Status("OK".into()), Expressiveness::Resp2),
            Reply::Status("OK".into())
        );
    }

    #[test]
    fn resp3_forms_become_what_resp2_says() {
        let reply = Reply::Map(vec![
            (text("score"), Reply::Double(1.5)),
            (text("alive"), Reply::Boolean(true)),
            (text("tags"), Reply::Set(vec![text("a")])),
        ]);
        assert_eq!(
            fold(&reply, Expressiveness::Resp2),
            Reply::Array(vec![
                text("score"),
                text("1.5"),
                text("alive"),
                Reply::Integer(1),
                text("tags"),
                Reply::Array(vec![text("a")]),
            ])
        );
    }
}
