//! The table of key positions, held against a server's own.

use scenarios::key_position::keys;

/// `COMMAND` of redis-server 8.10: name, first key, last key (negative from the end), step; the
/// commands whose keys stand at fixed places.
const RECORDED: &str = include_str!("key_position.tsv");

/// Commands that no transcript can hold, or that the table deliberately leaves out.
const LEFT_OUT: [&str; 3] = ["himport|set", "pfdebug", "sunsubscribe"];

fn positions(command: &[String]) -> Vec<usize> {
    let bytes: Vec<Vec<u8>> = command
        .iter()
        .map(|word| word.clone().into_bytes())
        .collect();
    let index = |key: &[u8]| bytes.iter().position(|word| word == key);
    keys(&bytes).into_iter().filter_map(index).collect()
}

#[test]
fn fixed_positions_are_those_of_the_server() {
    for line in RECORDED.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, first, last, step] = fields.as_slice() else {
            panic!("{line}")
        };
        if LEFT_OUT.contains(name) {
            continue;
        }
        let mut command: Vec<String> = name.split('|').map(str::to_owned).collect();
        command.extend((command.len()..10).map(|index| format!("argument{index}")));
        let number = |field: &str| field.parse::<isize>().expect("a number");
        let last = match number(last) {
            last if last < 0 => command.len().saturating_add_signed(last),
            last => last.unsigned_abs(),
        };
        let expected: Vec<usize> = (number(first).unsigned_abs()..=last)
            .step_by(number(step).unsigned_abs())
            .collect();
        assert_eq!(positions(&command), expected, "{line}");
    }
}

#[test]
fn movable_positions_follow_the_arguments() {
    for (command, expected) in [
        ("EVAL script 2 k1 k2 arg", vec![3, 4]),
        ("FCALL_RO f 0 arg", vec![]),
        ("BLMPOP 1 2 k1 k2 LEFT", vec![3, 4]),
        ("zinterstore out 2 k1 k2 WEIGHTS 1 2", vec![1, 3, 4]),
        ("ZUNION 2 k1 k2", vec![2, 3]),
        ("SINTERCARD 1 k1 LIMIT 1", vec![2]),
        ("MSETEX 2 k1 v1 k2 v2 EX 5", vec![2, 4]),
        ("XREAD COUNT 1 streams k1 k2 0 $", vec![4, 5]),
        ("XREADGROUP GROUP streams streams STREAMS k1 >", vec![5]),
        ("SORT k1 BY w_* GET # GET o_* STORE k2", vec![1, 3, 7, 9]),
        ("GEORADIUS k1 0 0 1 m STORE k2", vec![1, 7]),
        ("SCAN 0 COUNT 5 MATCH p*", vec![5]),
        ("OBJECT HELP", vec![]),
        ("XINFO STREAM k1", vec![2]),
        ("EVAL script 99 k1", vec![3]),
        ("EVAL script many k1", vec![]),
        ("MY.COMMAND k1 v", vec![1]),
    ] {
        let command: Vec<String> = command.split(' ').map(str::to_owned).collect();
        assert_eq!(positions(&command), expected, "{}", command.join(" "));
    }
}
