//! What commands answer over REST: the shapes that the official SDKs read, and the texts of errors.

use reqwest::header::CONTENT_TYPE;

use crate::fact::body;
use crate::rest::{answer, post, start};

/// Sends one command after the other, each an array in JSON, and holds each answer against what is
/// expected: a result, or an error's text.
async fn converse(steps: &[(&str, &str)]) {
    let (mock, client) = start().await;
    for (command, expected) in steps {
        let wanted = match expected.strip_prefix("error ") {
            Some(text) => serde_json::json!({ "error": text }),
            None => {
                let result: serde_json::Value = serde_json::from_str(expected).expect(expected);
                serde_json::json!({ "result": result })
            }
        };
        let got = body(&mock, &client, "/", command).await;
        let got: serde_json::Value = serde_json::from_str(&got).expect("JSON");
        assert_eq!(got, wanted, "{command}");
    }
}

#[tokio::test]
async fn results_have_the_shapes_that_the_sdks_read() {
    converse(&[
        (r#"["HGETALL","none"]"#, "[]"),
        (r#"["HSET","h","f","v"]"#, "1"),
        (r#"["HMGET","h","f","no"]"#, r#"["v",null]"#),
        (r#"["HGETALL","h"]"#, r#"["f","v"]"#),
        (r#"["HGETDEL","h","FIELDS","2","f","no"]"#, r#"["v",null]"#),
        (r#"["ZADD","z","1","a","1.5","b","inf","c"]"#, "3"),
        (
            r#"["ZRANGE","z","0","-1","WITHSCORES"]"#,
            r#"["a","1","b","1.5","c","inf"]"#,
        ),
        (r#"["ZSCORE","z","b"]"#, r#""1.5""#),
        (r#"["ZRANK","z","b","WITHSCORE"]"#, r#"[1,"1.5"]"#),
        (r#"["ZMPOP","1","z","MIN"]"#, r#"["z",[["a","1"]]]"#),
        (r#"["LMPOP","1","none","LEFT"]"#, "null"),
        (r#"["RPUSH","l","x","y"]"#, "2"),
        (r#"["LMPOP","1","l","LEFT"]"#, r#"["l",["x"]]"#),
        (r#"["SCAN","0","MATCH","l"]"#, r#"["0",["l"]]"#),
        (
            r#"["SCAN","0","MATCH","l","WITHTYPE"]"#,
            r#"["0",["l","list"]]"#,
        ),
        (r#"["HSET","h","f","v"]"#, "1"),
        (r#"["HSCAN","h","0"]"#, r#"["0",["f","v"]]"#),
        (r#"["SADD","s","m"]"#, "1"),
        (r#"["SSCAN","s","0"]"#, r#"["0",["m"]]"#),
        (r#"["SET","big","9007199254740993"]"#, r#""OK""#),
        (r#"["INCR","big"]"#, "9007199254740994"),
        (r#"["RANDOMKEY","x"]"#, "error ERR wrong number of arguments for 'randomkey' command"),
        (r#"["MEMORY","USAGE","none"]"#, "null"),
        (r#"["SET","o","1","GET"]"#, "null"),
        (r#"["SET","o","2","NX"]"#, "null"),
        (r#"["SUBSTR","big","0","1"]"#, r#""90""#),
        (r#"["CONFIG","GET","*"]"#, r#"["notify-keyspace-events",""]"#),
        (
            r#"["BITFIELD","bits","SET","u8","0","255","OVERFLOW","FAIL","INCRBY","u8","0","1"]"#,
            "[0,null]",
        ),
        (
            r#"["GEOADD","geo","13.361389","38.115556","Palermo","15.087269","37.502669","Catania"]"#,
            "2",
        ),
        (
            r#"["GEOSEARCH","geo","FROMLONLAT","14","37.5","BYRADIUS","90","km","WITHDIST","WITHHASH","WITHCOORD"]"#,
            r#"[["Palermo","88.5260",3479099956230698,["13.361389338970184","38.1155563954963"]]]"#,
        ),
        (
            r#"["GEOPOS","geo","Palermo","none"]"#,
            r#"[["13.361389338970184","38.1155563954963"],null]"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn expiry_is_told_as_the_sdks_read_it() {
    converse(&[
        (r#"["SETEX","k","100","v"]"#, r#""OK""#),
        (r#"["TTL","k"]"#, "100"),
        (r#"["EXPIRE","k","50","GT"]"#, "0"),
        (r#"["EXPIRE","k","50","LT"]"#, "1"),
        (r#"["GETEX","k","PXAT","1"]"#, r#""v""#),
        (r#"["EXISTS","k"]"#, "0"),
        (
            r#"["SET","k","v","EX","0"]"#,
            "error ERR invalid expire time in 'set' command",
        ),
        (
            r#"["SETEX","k","-1","v"]"#,
            "error ERR invalid expire time in 'setex' command",
        ),
        (r#"["HSET","h","f","v"]"#, "1"),
        (r#"["HEXPIRE","h","100","FIELDS","2","f","none"]"#, "[1,-2]"),
        (r#"["HEXPIRE","h","50","GT","FIELDS","1","f"]"#, "[0]"),
        (r#"["HTTL","h","FIELDS","1","f"]"#, "[100]"),
        (r#"["HEXPIREAT","h","1","FIELDS","1","f"]"#, "[2]"),
        (r#"["HEXPIRE","none","100","FIELDS","1","f"]"#, "[-2]"),
    ])
    .await;
}

#[tokio::test]
async fn strings_may_be_compared_and_set() {
    converse(&[
        (r#"["SET","k","v"]"#, r#""OK""#),
        (r#"["SET","k","w","IFEQ","x"]"#, "null"),
        (r#"["SET","k","w","IFEQ","v"]"#, r#""OK""#),
        (r#"["SET","k","x","IFNE","x"]"#, r#""OK""#),
        (r#"["SET","empty",""]"#, r#""OK""#),
        (r#"["DIGEST","empty"]"#, r#""2d06800538d394c2""#),
        (r#"["DIGEST","none"]"#, "null"),
        (r#"["DELEX","k","IFEQ","w"]"#, "0"),
        (r#"["DELEX","k","IFEQ","x"]"#, "1"),
        (r#"["RPUSH","l","x"]"#, "1"),
        (
            r#"["DIGEST","l"]"#,
            "error WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        (
            r#"["DELEX","l","IFEQ","x"]"#,
            "error ERR Key should be of string type if conditions are specified",
        ),
        (r#"["COPY","l","l"]"#, "0"),
        (r#"["UNLINK"]"#, "0"),
        (r#"["INCRBYFLOAT","f","0.1"]"#, r#""0.1""#),
        (r#"["INCRBYFLOAT","f","0.2"]"#, r#""0.30000000000000004""#),
    ])
    .await;
}

#[tokio::test]
async fn streams_are_told_as_the_sdks_read_them() {
    converse(&[
        (r#"["XADD","s","1-1","f","v"]"#, r#""1-1""#),
        (r#"["XRANGE","s","-","+"]"#, r#"[["1-1",["f","v"]]]"#),
        (
            r#"["XREAD","STREAMS","s","0"]"#,
            r#"[["s",[["1-1",["f","v"]]]]]"#,
        ),
        (r#"["XREAD","STREAMS","s","$"]"#, "null"),
        (r#"["XGROUP","CREATE","s","g","0"]"#, r#""OK""#),
        (
            r#"["XGROUP","CREATE","s","g","0"]"#,
            "error BUSYGROUP Consumer Group name already exists",
        ),
        (r#"["XPENDING","s","g"]"#, "[0,null,null,null]"),
        (
            r#"["XGROUP","SETID","s","g","0","ENTRIESREAD","1"]"#,
            r#""OK""#,
        ),
        (
            r#"["XREADGROUP","GROUP","g","c","NOACK","STREAMS","s",">"]"#,
            r#"[["s",[["1-1",["f","v"]]]]]"#,
        ),
        (r#"["XINFO","CONSUMERS","s","g"]"#, "[]"),
        (r#"["XINFO","CONSUMERS","s","none"]"#, "[]"),
        (r#"["XAUTOCLAIM","s","g","c","0","0"]"#, r#"["0-0",[],[]]"#),
        (r#"["XDELEX","s","IDS","1","9-9"]"#, "[-1]"),
        (r#"["XACKDEL","s","g","IDS","1","9-9"]"#, "[-1]"),
    ])
    .await;
}

#[tokio::test]
async fn documents_are_told_as_the_sdks_read_them() {
    converse(&[
        (
            r#"["JSON.SET","d","$.a.b","1"]"#,
            "error ERR new objects must be created at the root",
        ),
        (
            r#"["JSON.SET","d","$","{\"obj\":{\"a\":1,\"b\":2},\"arr\":[1,2,3],\"str\":\"foo\",\"bool\":true,\"int\":42,\"float\":3.14}"]"#,
            r#""OK""#,
        ),
        (r#"["JSON.CLEAR","d","$.*"]"#, "4"),
        (r#"["JSON.SET","d","$","{\"a\":1}"]"#, r#""OK""#),
        (r#"["JSON.GET","d"]"#, r#""{\"a\":1}""#),
        (r#"["JSON.GET","d","$"]"#, r#""[{\"a\":1}]""#),
        (r#"["JSON.GET","d","$.a","$"]"#, r#""{\"$.a\":[1],\"$\":[{\"a\":1}]}""#),
        (r#"["JSON.RESP","d","$"]"#, r#"[["{","a",1]]"#),
        (
            r#"["JSON.SET","d","$","{\"a\":\"b\",\"b\":[{\"a\":2},{\"a\":\"c\"}]}"]"#,
            r#""OK""#,
        ),
        (r#"["JSON.NUMINCRBY","d","$.a","2"]"#, r#""[null]""#),
        (r#"["JSON.NUMINCRBY","d","$.none","2"]"#, r#""[]""#),
        (r#"["JSON.SET","d","$","1","FORMAT","x"]"#, "error ERR syntax error"),
        (
            r#"["JSON.SET","d","$","{\"a\":[3],\"nested\":{\"a\":{\"b\":2,\"c\":1}}}"]"#,
            r#""OK""#,
        ),
        (r#"["JSON.OBJLEN","d","$..a"]"#, "[2,null]"),
        (r#"["JSON.TYPE","d","$..a"]"#, r#"["object","array"]"#),
    ])
    .await;
}

#[tokio::test]
async fn scripts_and_functions_are_told_as_the_sdks_read_them() {
    converse(&[
        (
            r#"["SCRIPT","LOAD","return 1"]"#,
            r#""e0e1f9fabfc9d4800c877a703b823ac0578ff8db""#,
        ),
        (
            r#"["SCRIPT","EXISTS","e0e1f9fabfc9d4800c877a703b823ac0578ff8db","none"]"#,
            "[1,0]",
        ),
        (r#"["SCRIPT","FLUSH"]"#, r#""OK""#),
        (
            "[\"FUNCTION\",\"LOAD\",\"#!lua name=lib\\nredis.register_function('f', function() return 1 end)\"]",
            r#""lib""#,
        ),
        (
            r#"["FUNCTION","LIST"]"#,
            r#"[["library_name","lib","engine","LUA","functions",[["name","f","description",null,"flags",[]]]]]"#,
        ),
        (
            r#"["FUNCTION","STATS"]"#,
            r#"["running_script",null,"engines",["LUA",["libraries_count",1,"functions_count",1]]]"#,
        ),
        (r#"["FCALL","f","0"]"#, "1"),
        (r#"["FUNCTION","DELETE","lib"]"#, r#""OK""#),
        (r#"["FUNCTION","LIST"]"#, "[]"),
    ])
    .await;
}

#[tokio::test]
async fn what_acl_answers_is_what_upstash_documents() {
    let not_available = |name: &str| {
        format!(
            "error ERR Command is not available: '{name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"
        )
    };
    converse(&[
        (r#"["ACL","WHOAMI"]"#, r#""default""#),
        (r#"["ACL","GETUSER","nobody"]"#, "null"),
        (r#"["ACL","LOG"]"#, "[]"),
        (r#"["ACL","LOG","RESET"]"#, r#""OK""#),
        (r#"["ACL","LOAD"]"#, r#""OK""#),
        (r#"["ACL","SAVE"]"#, r#""OK""#),
        (
            r#"["ACL","DELUSER","default"]"#,
            "error ERR The 'default' user cannot be removed",
        ),
        (
            r#"["ACL","DRYRUN","default","GET","k"]"#,
            &not_available("ACL DRYRUN"),
        ),
        (r#"["ACL","HELP"]"#, &not_available("ACL HELP")),
    ])
    .await;
}

#[tokio::test]
async fn errors_have_the_texts_that_users_see() {
    let not_available = |name: &str| {
        format!(
            "error ERR Command is not available: '{name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"
        )
    };
    let absent = [
        (r#"["S"]"#, "S"),
        (r#"["role"]"#, "ROLE"),
        (r#"["memory","stats"]"#, "MEMORY STATS"),
        (r#"["CONFIG","RESETSTAT"]"#, "CONFIG RESETSTAT"),
        (r#"["FT._LIST"]"#, "FT._LIST"),
        (r#"["XSETID","s","1-1"]"#, "XSETID"),
        (r#"["FUNCTION","DUMP"]"#, "FUNCTION DUMP"),
        (r#"["MOVE","k","1"]"#, "MOVE"),
    ];
    let absent: Vec<(&str, String)> = absent
        .into_iter()
        .map(|(command, name)| (command, not_available(name)))
        .collect();
    let absent: Vec<(&str, &str)> = absent
        .iter()
        .map(|(command, text)| (*command, &**text))
        .collect();
    converse(&absent).await;
    converse(&[
        (r#"["COMMAND"]"#, "[]"),
        (
            r#"["COMMAND","DOCS"]"#,
            "error ERR wrong number of arguments for 'command' command",
        ),
        (
            r#"["EVALSHA","0000000000000000000000000000000000000000","0"]"#,
            "error NOSCRIPT No matching script. Please use EVAL.",
        ),
        (
            r#"["SCRIPT","KILL"]"#,
            "error NOTBUSY No scripts in execution right now.",
        ),
        (
            r#"["FUNCTION","KILL"]"#,
            "error NOTBUSY No scripts in execution right now.",
        ),
        (
            "[\"EVAL\",\"#!lua flags=allow-key-locking\\nreturn redis.call('FLUSHDB')\",\"0\"]",
            "error ERR Error running script: @user_script:2: ERR FLUSHDB and FLUSHALL are not allowed in Lua scripts when 'allow-key-locking' flag is set\nstack traceback:\n\t[G]: in function 'call'\n\t@user_script:2: in main chunk\n\t[G]: ?",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_user_has_a_token_and_is_held_to_its_rules() {
    let (mock, client) = start().await;
    let one = async |command: String| body(&mock, &client, "/", &command).await;
    let given = |answer: String| {
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer["result"].as_str().expect("a token").to_owned()
    };
    let password = given(one(r#"["ACL","GENTOKEN"]"#.to_owned()).await);
    let rules = format!(r#"["ACL","SETUSER","app","on",">{password}","+@all","~app:*"]"#);
    assert_eq!(one(rules).await, r#"{"result":"OK"}"#);
    assert_eq!(
        one(r#"["ACL","RESTTOKEN"]"#.to_owned()).await,
        r#"{"error":"ERR invalid syntax. Usage: ACL RESTTOKEN username password"}"#
    );
    assert_eq!(
        one(r#"["ACL","RESTTOKEN","upstash","x"]"#.to_owned()).await,
        r#"{"error":"ERR Wrong password or user \"upstash\" does not exist"}"#
    );
    let token = given(one(format!(r#"["ACL","RESTTOKEN","app","{password}"]"#)).await);
    assert_ne!(token, password);
    let as_user = async |token: &str, command: &str| {
        let request = client.post(mock.url()).bearer_auth(token);
        answer(request.body(command.to_owned())).await.1
    };
    let denied = r#"{"error":"NOPERM this user has no permissions to access one of the keys used as arguments"}"#;
    let dynamic = r#"["EVAL","return 1","2","app:1",""]"#;
    assert_eq!(
        as_user(&token, r#"["GET","app:1"]"#).await,
        r#"{"result":null}"#
    );
    assert_eq!(as_user(&token, r#"["GET","other"]"#).await, denied);
    assert_eq!(as_user(&token, dynamic).await, denied);
    one(r#"["ACL","SETUSER","app","~"]"#.to_owned()).await;
    assert_eq!(as_user(&token, dynamic).await, r#"{"result":1}"#);
    // The password is a token, too.
    let narrow = format!(
        r#"["ACL","SETUSER","probe","on",">{password}","-@all","+info","+ping","resetkeys","resetchannels"]"#
    );
    one(r#"["ACL","DELUSER","app"]"#.to_owned()).await;
    one(narrow).await;
    assert_eq!(
        as_user(&password, r#"["PING"]"#).await,
        r#"{"result":"PONG"}"#
    );
    assert!(
        as_user(&password, r#"["INFO"]"#)
            .await
            .contains("upstash_version")
    );
    for (command, name) in [
        (r#"["GET","k"]"#, "get"),
        (r#"["SET","k","v"]"#, "set"),
        (r#"["KEYS","*"]"#, "keys"),
        (r#"["SCAN","0"]"#, "scan"),
        (r#"["FLUSHDB"]"#, "flushdb"),
    ] {
        let text = format!(
            r#"{{"error":"NOPERM this user has no permissions to run the '{name}' command or its subcommand"}}"#
        );
        assert_eq!(as_user(&password, command).await, text);
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced_one_by_one() {
    let (mock, client) = start().await;
    let set = post(&mock, &client, "/set/k").body(vec![0xff, 0x00, b'a', 0xc3]);
    assert_eq!(answer(set).await.1, r#"{"result":"OK"}"#);
    assert_eq!(
        body(&mock, &client, "/get/k", "").await,
        "{\"result\":\"\u{fffd}\\u0000a\u{fffd}\"}"
    );
    let resp2 = post(&mock, &client, "/get/k").header("upstash-response-format", "resp2");
    let response = resp2.send().await.expect("an answer");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/octet-stream");
    let bytes = response.bytes().await.expect("a body");
    assert_eq!(&bytes[..], b"$4\r\n\xff\x00a\xc3\r\n");
}
