//! Tokens that must pass: a verifier that refuses everything would pass the other rows too.

use edgeward_core::jose::Algorithm;

use crate::Row;
use crate::forge::{Forge, ISSUER_A, ISSUER_B, claims_of, header, sign, svid_of};

pub(crate) fn rows(forge: &Forge) -> Vec<Row> {
    let mut rows = Vec::new();
    for algorithm in Algorithm::ALL {
        let key = forge.a_key(algorithm);
        let token = sign(key, &header(key), &claims_of(ISSUER_A));
        rows.push(Row::accepted(
            format!("{algorithm}"),
            token,
            "https://a.example|alice",
        ));
    }
    let key = forge.a_key(Algorithm::Es256);
    for typ in [
        "\"jwt\"",
        "\"JWT\"",
        "\"application/jwt\"",
        "\"at+jwt\"",
        "\"application/AT+JWT\"",
    ] {
        let token = forge.of_a_with_header(&header(key).set("typ", typ));
        rows.push(Row::accepted(
            format!("typ {typ}"),
            token,
            "https://a.example|alice",
        ));
    }
    let no_typ = forge.of_a_with_header(&header(key).without("typ"));
    rows.push(Row::accepted("no typ", no_typ, "https://a.example|alice"));
    let no_kid = forge.of_a_with_header(&header(key).without("kid"));
    rows.push(Row::accepted(
        "no kid, one key that fits",
        no_kid,
        "https://a.example|alice",
    ));
    let many = claims_of(ISSUER_A).set("aud", r#"["somebody","also-edgeward"]"#);
    rows.push(Row::accepted(
        "one of many audiences",
        forge.of_a(&many),
        "https://a.example|alice",
    ));
    let extra = claims_of(ISSUER_A).set("groups", r#"[{"a":null},1.5,"é"]"#);
    rows.push(Row::accepted(
        "private claims",
        forge.of_a(&extra),
        "https://a.example|alice",
    ));

    let b = &forge.b[0];
    let token = sign(b, &header(b), &claims_of(ISSUER_B));
    rows.push(Row::accepted("issuer B", token, "https://b.example|alice"));

    for key in &forge.x {
        let token = sign(key, &header(key), &svid_of("spiffe://x.example/ns/a/sa/b"));
        let name = format!("SVID by {}", key.key_id());
        rows.push(Row::accepted(name, token, "spiffe://x.example/ns/a/sa/b"));
    }
    for typ in ["\"JOSE\"", "\"JWT\""] {
        let token = sign(
            &forge.x[0],
            &header(&forge.x[0]).set("typ", typ),
            &svid_of("spiffe://x.example/a"),
        );
        rows.push(Row::accepted(
            format!("SVID typ {typ}"),
            token,
            "spiffe://x.example/a",
        ));
    }
    // `iss` means nothing in a JWT-SVID (JWT-SVID.md section 3): keys come from the trust domain.
    let foreign = svid_of("spiffe://x.example/a").set("iss", "\"https://a.example\"");
    rows.push(Row::accepted(
        "SVID with an iss",
        forge.of_x(&foreign),
        "spiffe://x.example/a",
    ));
    rows
}
