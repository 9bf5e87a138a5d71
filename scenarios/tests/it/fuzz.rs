//! A short run of damaged documents, the same in every run: none makes the parser panic.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use scenarios::Document;
use scenarios::suite::SOURCES;

const README: &str = include_str!("../../README.md");

/// Damages a text: a piece goes, comes twice, moves, or turns into another character.
fn damage(text: &str, random: &mut Pcg64Mcg) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..random.random_range(1..8) {
        if characters.is_empty() {
            break;
        }
        let start = random.random_range(0..characters.len());
        let end = (start + random.random_range(1..40)).min(characters.len());
        let piece: Vec<char> = characters[start..end].to_vec();
        match random.random_range(0..5) {
            0 => drop(characters.drain(start..end)),
            1 => drop(characters.splice(start..start, piece)),
            2 => {
                characters.drain(start..end);
                let to = random.random_range(0..=characters.len());
                drop(characters.splice(to..to, piece));
            }
            3 => {
                characters[start] = ['"', '\'', '{', '>', '\n', ')', '1', '`', '\u{0}', 'é']
                    [random.random_range(0..10)]
            }
            _ => characters.truncate(end),
        }
    }
    characters.into_iter().collect()
}

#[test]
fn damaged_documents_are_refused_or_read() {
    let mut random = Pcg64Mcg::seed_from_u64(20);
    let sources: Vec<&str> = SOURCES
        .iter()
        .map(|(_, text)| *text)
        .chain([README])
        .collect();
    let (mut read, mut refused) = (0, 0);
    for round in 0..600 {
        let text = damage(sources[round % sources.len()], &mut random);
        match Document::parse("scenarios/cache/damaged.md", &text) {
            Ok(_) => read += 1,
            Err(errors) => {
                refused += 1;
                let lines = text.split('\n').count();
                for mistake in &errors.mistakes {
                    assert!((1..=lines).contains(&mistake.location.line), "{errors}");
                    assert!(!mistake.message.is_empty() && !mistake.help.is_empty());
                }
                assert!(
                    errors
                        .to_string()
                        .starts_with("scenarios/cache/damaged.md:")
                );
            }
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}
