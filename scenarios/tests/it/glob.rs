//! The glob of expected errors and of `(like …)`.

use proptest::prelude::*;
use scenarios::glob::Glob;

#[test]
fn an_asterisk_stands_for_any_bytes() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("a*", "a", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("*ab*ab*", "abab", true),
        ("*ab*ab*", "aab", false),
        ("a*bc*d", "aXbcYbcZd", true),
        ("a**b", "ab", true),
        ("a\\*b", "a*b", true),
        ("a\\*b", "aXb", false),
        ("a\\\\*", "a\\X", true),
        ("a\\b?[x]", "a\\b?[x]", true),
    ] {
        assert_eq!(
            Glob::new(pattern.as_bytes()).matches(text.as_bytes()),
            expected,
            "{pattern} {text}"
        );
    }
}

/// Matching by trying every length for the asterisk: slow, and plainly right.
fn plain(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| plain(rest, &text[skip..])),
        Some((byte, rest)) => text.first() == Some(byte) && plain(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn agrees_with_plain_matching(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
        let glob = Glob::new(pattern.as_bytes());
        prop_assert_eq!(glob.matches(text.as_bytes()), plain(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn an_escaped_text_matches_itself_alone(text in "[a*\\\\]{0,8}", other in "[a*\\\\]{0,8}") {
        let glob = Glob::new(&Glob::escape(text.as_bytes()));
        prop_assert!(glob.matches(text.as_bytes()));
        prop_assert!(!glob.has_wildcard());
        prop_assert_eq!(glob.matches(other.as_bytes()), text == other);
    }
}
