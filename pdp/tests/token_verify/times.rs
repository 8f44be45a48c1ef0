//! Times: types, ranges, and the exact second at which a verdict turns.

use crate::forge::{Forge, ISSUER_A, ISSUER_B, Members, claims_of, header, sign};
use crate::{NOW, Row};

const ALICE_A: &str = "https://a.example|alice";
const ALICE_B: &str = "https://b.example|alice";
const DAY: u64 = 24 * 60 * 60;

pub(crate) fn rows(forge: &Forge) -> Vec<Row> {
    let mut rows = types(forge);
    rows.extend(edges_with_leeway(forge));
    rows.extend(edges_without_leeway(forge));
    rows
}

fn types(forge: &Forge) -> Vec<Row> {
    let genuine = claims_of(ISSUER_A);
    let mut rows = Vec::new();
    let wrong = [
        "null",
        "true",
        "\"1800000300\"",
        "\"\"",
        "[]",
        "[1800000300]",
        "{}",
        "-1",
        "-0.5",
        "1e300",
        "253402300800",
        "18446744073709551616",
        "99999999999999999999999",
    ];
    for name in ["exp", "nbf", "iat"] {
        for raw in wrong {
            let token = forge.of_a(&genuine.set(name, raw));
            rows.push(Row::refused(
                format!("{name} is {raw}"),
                token,
                "token-claim-invalid",
            ));
        }
    }
    // RFC 7519 allows fractions; they are cut off, never rounded up.
    let fraction = forge.of_a(&genuine.set("exp", format!("{}.999", NOW + 300)));
    rows.push(Row::accepted("exp with a fraction", fraction, ALICE_A));
    let power = forge.of_a(&genuine.set("exp", "18000003e2"));
    rows.push(Row::accepted("exp with an exponent", power, ALICE_A));
    rows
}

/// Issuer A: 60 s of leeway, a day of life.
fn edges_with_leeway(forge: &Forge) -> Vec<Row> {
    let genuine = claims_of(ISSUER_A);
    let at = |changes: &[(&str, u64)]| {
        let claims = changes
            .iter()
            .fold(genuine.clone(), |c, (name, at)| c.set(name, at.to_string()));
        forge.of_a(&claims)
    };
    vec![
        Row::accepted("59 s past exp", at(&[("exp", NOW - 59)]), ALICE_A),
        Row::refused("60 s past exp", at(&[("exp", NOW - 60)]), "token-expired"),
        Row::refused("exp in 1970", at(&[("exp", 0)]), "token-expired"),
        Row::accepted("nbf in 60 s", at(&[("nbf", NOW + 60)]), ALICE_A),
        Row::refused(
            "nbf in 61 s",
            at(&[("nbf", NOW + 61)]),
            "token-not-yet-valid",
        ),
        Row::accepted("iat in 60 s", at(&[("iat", NOW + 60)]), ALICE_A),
        Row::refused(
            "iat in 61 s",
            at(&[("iat", NOW + 61)]),
            "token-issued-in-future",
        ),
        Row::accepted(
            "a day long",
            at(&[("iat", NOW), ("exp", NOW + DAY)]),
            ALICE_A,
        ),
        Row::refused(
            "a day and a second",
            at(&[("iat", NOW), ("exp", NOW + DAY + 1)]),
            "token-lifetime-too-long",
        ),
        Row::refused(
            "until the year 9999",
            at(&[("exp", 253_402_300_799)]),
            "token-lifetime-too-long",
        ),
        Row::refused(
            "without iat, from nbf",
            forge.of_a(
                &genuine
                    .without("iat")
                    .set("nbf", (NOW - 20).to_string())
                    .set("exp", (NOW + DAY).to_string()),
            ),
            "token-lifetime-too-long",
        ),
        Row::refused(
            "without iat and nbf, from now",
            forge.of_a(
                &genuine
                    .without("iat")
                    .set("exp", (NOW + DAY + 1).to_string()),
            ),
            "token-lifetime-too-long",
        ),
        Row::accepted(
            "without iat and nbf",
            forge.of_a(&genuine.without("iat")),
            ALICE_A,
        ),
    ]
}

/// Issuer B: no leeway, ten minutes of life.
fn edges_without_leeway(forge: &Forge) -> Vec<Row> {
    let key = &forge.b[0];
    let genuine = claims_of(ISSUER_B);
    let of_b = |claims: &Members| sign(key, &header(key), claims);
    let at = |name: &str, at: u64| of_b(&genuine.set(name, at.to_string()));
    vec![
        Row::accepted("last second", at("exp", NOW + 1), ALICE_B),
        Row::refused("exp is now", at("exp", NOW), "token-expired"),
        Row::accepted("nbf is now", at("nbf", NOW), ALICE_B),
        Row::refused("nbf in a second", at("nbf", NOW + 1), "token-not-yet-valid"),
        Row::refused(
            "iat in a second",
            at("iat", NOW + 1),
            "token-issued-in-future",
        ),
        Row::accepted("ten minutes", at("exp", NOW - 10 + 600), ALICE_B),
        Row::refused(
            "ten minutes and a second",
            at("exp", NOW - 10 + 601),
            "token-lifetime-too-long",
        ),
    ]
}
