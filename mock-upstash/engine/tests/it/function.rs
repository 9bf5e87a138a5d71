//! Libraries of functions.

use crate::testing::{Bench, show};

fn load(bench: &mut Bench, code: &str) -> String {
    show(&bench.run_args(&[b"FUNCTION", b"LOAD", b"REPLACE", code.as_bytes()]))
}

const COUNTER: &str = "#!lua name=counter
local count = 0
redis.register_function('count', function(keys, args) count = count + 1 return count end)
redis.register_function{function_name = 'put', description = 'writes',
  callback = function(keys, args) return redis.call('SET', keys[1], args[1]) end}
redis.register_function{function_name = 'look', flags = {'no-writes'},
  callback = function(keys) return redis.call('GET', keys[1]) end}";

#[test]
fn a_library_keeps_its_state_and_its_functions() {
    let mut bench = Bench::redis();
    assert_eq!(load(&mut bench, COUNTER), "\"counter\"");
    assert_eq!(bench.show("FCALL count 0"), "1");
    assert_eq!(bench.show("FCALL COUNT 0"), "2");
    assert_eq!(bench.show("FCALL put 1 k v"), "OK");
    assert_eq!(bench.show("FCALL_RO look 1 k"), "\"v\"");
    assert_eq!(
        bench.show("FUNCTION LIST LIBRARYNAME COUNT*"),
        "[{\"library_name\": \"counter\", \"engine\": \"LUA\", \"functions\": [\
         {\"name\": \"count\", \"description\": nil, \"flags\": ~[]}, \
         {\"name\": \"put\", \"description\": \"writes\", \"flags\": ~[]}, \
         {\"name\": \"look\", \"description\": nil, \"flags\": ~[no-writes]}]}]"
    );
    assert_eq!(bench.show("FUNCTION DELETE counter"), "OK");
    assert_eq!(
        bench.show("FCALL count 0"),
        "(error) ERR Function not found"
    );
}

#[test]
fn a_library_that_fails_to_load_leaves_the_old_one() {
    let mut bench = Bench::redis();
    load(&mut bench, COUNTER);
    assert_eq!(
        load(&mut bench, "#!lua name=counter\nlocal call = redis.call"),
        "(error) ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global variable 'call'"
    );
    let endless = load(&mut bench, "#!lua name=counter\nwhile true do end");
    assert!(endless.contains("Script ended after 500 ms"), "{endless}");
    assert_eq!(bench.show("FCALL count 0"), "1");
}

#[test]
fn only_upstash_runs_a_function_until_it_writes() {
    let mut bench = Bench::redis();
    load(&mut bench, COUNTER);
    assert_eq!(
        bench.show("FCALL_RO put 1 k v"),
        "(error) ERR Can not execute a script with write flag using *_ro command."
    );
    let mut bench = Bench::upstash();
    load(&mut bench, COUNTER);
    assert_eq!(bench.show("FCALL_RO count 0"), "1");
    let refused = bench.show("FCALL_RO put 1 k v");
    assert!(
        // Text and stack are those that the SDK's test records, for its own line.
        refused.starts_with("(error) ERR Error running script: @user_script:5: READONLY Write commands are not allowed from read-only scripts\nstack traceback:\n\t[G]: in function 'call'\n\t@user_script:5: in "),
        "{refused}"
    );
    assert!(refused.ends_with(": in main chunk\n\t[G]: ?"), "{refused}");
}

#[test]
fn upstash_knows_functions_that_lock_their_keys() {
    let code = "#!lua name=locking
redis.register_function{function_name = 'put', flags = {'allow-key-locking'},
  callback = function(keys, args) return redis.call('SET', args[1], 'v') end}";
    let mut bench = Bench::upstash();
    assert_eq!(load(&mut bench, code), "\"locking\"");
    assert_eq!(bench.show("FCALL put 1 a a"), "OK");
    let refused = bench.show("FCALL put 1 a b");
    assert!(refused.contains("Key was: b"), "{refused}");
    assert_eq!(
        load(&mut Bench::redis(), code),
        "(error) ERR Error registering functions: ERR unknown flag given"
    );
}
