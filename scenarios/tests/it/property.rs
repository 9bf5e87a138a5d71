//! Properties: what is printed is read back, and no text makes the parser panic.

use proptest::collection::vec;
use proptest::prelude::*;
use scenarios::reply::Expressiveness;
use scenarios::{Document, Expectation, Reply, print};

use crate::{parse, with_bindings};

fn scalar() -> impl Strategy<Value = Reply> {
    prop_oneof![
        "[ -~]{0,20}".prop_map(Reply::Status),
        "[A-Z]{1,9}( [!-~]{1,9}){0,4}".prop_map(Reply::Error),
        "( \\| \\(error\\)|[ -~\n])*[!-~]".prop_map(Reply::Error),
        any::<i64>().prop_map(Reply::Integer),
        vec(any::<u8>(), 0..30).prop_map(Reply::Bulk),
        "[ -~é\n]{0,30}".prop_map(|text| Reply::Bulk(text.into_bytes())),
        Just(Reply::Nil),
        any::<f64>().prop_map(Reply::Double),
        any::<bool>().prop_map(Reply::Boolean),
        "-?[0-9]{1,40}".prop_map(Reply::BigNumber),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    let key = scalar()
        .prop_filter("a map's key is no error", |key| !key.is_error())
        .boxed();
    scalar().prop_recursive(4, 60, 14, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..14).prop_map(Reply::Array),
            vec(inner.clone(), 0..12).prop_map(Reply::Set),
            vec((key.clone(), inner), 0..12).prop_map(Reply::Map),
        ]
    })
}

/// Text made of what documents are made of, so that it gets far into the parser.
fn fragments() -> impl Strategy<Value = String> {
    let words = [
        "> ",
        "a> ",
        "a>& ",
        "\n",
        "\n\n",
        " ",
        "GET ",
        "SET ",
        "EVAL ",
        "XREAD STREAMS ",
        "every SCAN 0 ",
        "{k}",
        "$id",
        "=> $id",
        "\"",
        "'",
        "\\",
        "\\x",
        "<9 a>",
        "<99999999999999999999 a>",
        "1) ",
        " 10) ",
        "2# ",
        "3~ ",
        "(integer) ",
        "1..",
        "(error) ",
        "(like \"",
        "(approx 1) ",
        "(unordered)",
        "(",
        ")",
        "*",
        "|",
        "wait 1s",
        "pipeline\n",
        "multi\n",
        "end\n",
        "exec\n",
        "await",
        "message",
        "no message ",
        "needs command ",
        "only rest\n",
        "since redis 7.4\n",
        "```",
        "```redis\n",
        "\n## A\n",
        "# ",
        "é",
        "\t",
        "\r\n",
        "\u{0}",
        "OK",
        "-",
        "0",
    ];
    vec(proptest::sample::select(words.to_vec()), 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_reply_is_an_expectation_that_it_meets(reply in reply()) {
        let printed = print::reply(&reply);
        let document = parse(&format!("> PING\n{printed}"));
        prop_assert!(document.is_ok(), "{printed}\n{}", document.err().map(|e| e.to_string()).unwrap_or_default());
        let scenario = &document.expect("checked").scenarios[0];
        let expectation = scenario.steps[0].expect.as_ref().expect("a reply");
        let checked = with_bindings(|bindings| expectation.check(&reply, Expressiveness::Resp3, bindings));
        prop_assert!(checked.is_ok(), "{printed}\n{}", checked.err().map(|e| e.to_string()).unwrap_or_default());
        prop_assert_eq!(print::expectation(expectation), print::expectation(&Expectation::literal(&reply)));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), fragments in fragments()) {
        for document in [text.clone(), format!("## A\n```redis\n{text}\n```"), fragments.clone(), format!("## A\n```redis\n{fragments}\n```")] {
            if let Err(errors) = Document::parse("a/b.md", &document) {
                prop_assert!(!errors.mistakes.is_empty());
                prop_assert!(errors.to_string().contains("a/b.md:"));
            }
        }
    }

    #[test]
    fn order_is_nothing_to_unordered_arrays_sets_and_maps(
        (elements, shuffled) in vec(scalar(), 0..12)
            .prop_flat_map(|elements| (Just(elements.clone()), Just(elements).prop_shuffle())),
    ) {
        let literals: Vec<Expectation> = elements.iter().map(Expectation::literal).collect();
        let pairs = |list: &[Reply]| list.iter().map(|one| (one.clone(), Reply::Nil)).collect();
        let check = |expectation: &Expectation, reply: &Reply| {
            with_bindings(|bindings| expectation.check(reply, Expressiveness::Resp3, bindings)).is_ok()
        };
        let unordered = Expectation::Unordered(literals);
        prop_assert!(check(&unordered, &Reply::Array(shuffled.clone())));
        prop_assert!(check(&Expectation::literal(&Reply::Set(elements.clone())), &Reply::Set(shuffled.clone())));
        prop_assert!(check(&Expectation::literal(&Reply::Map(pairs(&elements))), &Reply::Map(pairs(&shuffled))));
        let mut more = shuffled;
        more.push(Reply::Bulk(b"one more".to_vec()));
        prop_assert!(!check(&unordered, &Reply::Array(more)));
    }
}
