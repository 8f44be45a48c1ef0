//! Claims: absent, twice, of the wrong type, somebody else's.

use crate::Row;
use crate::forge::{Forge, ISSUER_A, Members, claims_of, svid_of};

pub(crate) fn rows(forge: &Forge) -> Vec<Row> {
    let mut rows = missing_and_twice(forge);
    rows.extend(wrong_types(forge));
    rows.extend(others(forge));
    rows.extend(spiffe_ids(forge));
    rows
}

fn missing_and_twice(forge: &Forge) -> Vec<Row> {
    let genuine = claims_of(ISSUER_A);
    let mut rows = Vec::new();
    for name in ["sub", "aud", "exp"] {
        let token = forge.of_a(&genuine.without(name));
        rows.push(Row::refused(
            format!("no {name}"),
            token,
            "token-claim-missing",
        ));
        let token = forge.of_x(&svid_of("spiffe://x.example/a").without(name));
        rows.push(Row::refused(
            format!("JWT-SVID without {name}"),
            token,
            "token-claim-missing",
        ));
    }
    let no_issuer = forge.of_a(&genuine.without("iss"));
    rows.push(Row::refused("no iss", no_issuer, "token-issuer-unknown"));
    for (name, again, raw) in [
        ("sub", "sub", "\"root\""),
        ("sub, the same", "sub", "\"alice\""),
        ("sub, escaped", "s\\u0075b", "\"root\""),
        ("exp, escaped", "\\u0065xp", "9999999999"),
        ("aud", "aud", "\"edgeward\""),
        ("iss", "iss", "\"https://b.example\""),
        (
            "a claim inside another",
            "x",
            "{\"y\":{\"z\":1,\"\\u007a\":2}}",
        ),
    ] {
        let token = forge.of_a(&genuine.also(again, raw));
        rows.push(Row::refused(
            format!("twice: {name}"),
            token,
            "token-payload-invalid",
        ));
    }
    rows
}

/// The class of CVE-2026-25537 and CVE-2025-30144: a wrong type is an error, never absent and never
/// searched through.
fn wrong_types(forge: &Forge) -> Vec<Row> {
    let genuine = claims_of(ISSUER_A);
    let mut rows = Vec::new();
    let texts = [
        "null",
        "1",
        "true",
        "{}",
        "[]",
        "\"\"",
        "\"a\\u0000b\"",
        "\"a\\nb\"",
    ];
    for (name, raws) in [
        ("iss", [&texts[..], &["[\"https://a.example\"]"]].concat()),
        ("sub", [&texts[..], &["[\"alice\"]"]].concat()),
        ("jti", texts.to_vec()),
        (
            "aud",
            [
                &texts[..],
                &[
                    "[1]",
                    "[\"edgeward\",1]",
                    "[[\"edgeward\"]]",
                    "[\"\"]",
                    "{\"0\":\"edgeward\"}",
                ],
            ]
            .concat(),
        ),
        (
            "cnf",
            vec![
                "null",
                "1",
                "\"x\"",
                "[]",
                "{}",
                "{\"x5t#S256\":1}",
                "{\"x5t#S256\":\"AA\"}",
                "{\"x5t#S256\":\"\",\"jkt\":\"x\"}",
            ],
        ),
    ] {
        for raw in raws {
            let token = forge.of_a(&genuine.set(name, raw));
            rows.push(Row::refused(
                format!("{name} is {raw}"),
                token,
                "token-claim-invalid",
            ));
        }
    }
    let long = forge.of_a(&genuine.set("sub", format!("\"{}\"", "a".repeat(2049))));
    rows.push(Row::refused(
        "sub is very long",
        long,
        "token-claim-invalid",
    ));
    let many = forge.of_a(&genuine.set("aud", format!("[{}\"edgeward\"]", "\"x\",".repeat(64))));
    rows.push(Row::refused(
        "too many audiences",
        many,
        "token-claim-invalid",
    ));
    rows
}

fn others(forge: &Forge) -> Vec<Row> {
    let genuine = claims_of(ISSUER_A);
    let mut rows = Vec::new();
    for audience in [
        "\"Edgeward\"",
        "\"edgeward \"",
        "\"edgeward/\"",
        "\"edgewar\"",
        "\"edgeward.evil\"",
        "\"*\"",
        "[\"x\",\"y\"]",
        "\"https://a.example\"",
    ] {
        let token = forge.of_a(&genuine.set("aud", audience));
        rows.push(Row::refused(
            format!("aud {audience}"),
            token,
            "token-audience-mismatch",
        ));
    }
    let svid = svid_of("spiffe://x.example/a").set("aud", "[\"also-edgeward\"]");
    rows.push(Row::refused(
        "the issuer's audience in a JWT-SVID",
        forge.of_x(&svid),
        "token-audience-mismatch",
    ));
    for issuer in [
        "https://a.example/",
        "https://A.example",
        "https://a.example.evil",
        "https://a.exampl",
        "http://a.example",
        "a.example",
        "https://c.example",
        "x.example",
        "*",
    ] {
        let token = forge.of_a(&genuine.set("iss", format!("\"{issuer}\"")));
        rows.push(Row::refused(
            format!("iss {issuer}"),
            token,
            "token-issuer-unknown",
        ));
    }
    rows
}

fn spiffe_ids(forge: &Forge) -> Vec<Row> {
    let mut rows = Vec::new();
    for id in [
        "spiffe://",
        "spiffe:///a",
        "spiffe:x.example/a",
        "spiffe:/x.example/a",
        "SPIFFE://x.example/a",
        "Spiffe://x.example/a",
        "spiffe://X.example/a",
        "spiffe://x.example/",
        "spiffe://x.example/a/",
        "spiffe://x.example//a",
        "spiffe://x.example/./a",
        "spiffe://x.example/a/..",
        "spiffe://x.example/../y.example/a",
        "spiffe://x.example/%61",
        "spiffe://x.example/a?b",
        "spiffe://x.example/a#b",
        "spiffe://x.example:443/a",
        "spiffe://u@x.example/a",
        "spiffe://x.example/a b",
        "spiffe://x.example/\u{e9}",
        "spiffe://x\u{2024}example/a",
    ] {
        let token = forge.of_x(&svid_of(id));
        rows.push(Row::refused(
            format!("sub {id}"),
            token,
            "token-spiffe-id-invalid",
        ));
        // Nor does an issuer get to use it as its private name.
        let claims: Members = claims_of(ISSUER_A).set("sub", format!("\"{id}\""));
        let name = format!("issuer's sub {id}");
        rows.push(Row::refused(
            name,
            forge.of_a(&claims),
            "token-spiffe-id-invalid",
        ));
    }
    for id in [
        "spiffe://z.example/a",
        "spiffe://sub.x.example/a",
        "spiffe://x.example.evil/a",
        "spiffe://example/a",
    ] {
        let token = forge.of_x(&svid_of(id));
        rows.push(Row::refused(
            format!("sub {id}"),
            token,
            "token-trust-domain-unknown",
        ));
    }
    rows
}
