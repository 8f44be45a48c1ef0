//! The token as text: parts, encodings, sizes, other serialisations.

use edgeward_core::jose::{Algorithm, encode_base64url};

use crate::Row;
use crate::forge::{Forge, ISSUER_A, claims_of, header, sign_text};

pub(crate) fn rows(forge: &Forge) -> Vec<Row> {
    let good = forge.of_a(&claims_of(ISSUER_A));
    let [head, payload, signature] = parts(&good);
    let mut rows = serialisations(&head, &payload, &signature);
    rows.extend(encodings(&head, &payload, &signature));
    rows.extend(contents(forge));
    rows
}

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

fn serialisations(head: &str, payload: &str, signature: &str) -> Vec<Row> {
    let not_compact = |name: &str, token: String| Row::refused(name, token, "token-not-compact");
    let encrypted = encode_base64url(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    vec![
        not_compact("no dots", format!("{head}{payload}{signature}")),
        not_compact("two parts", format!("{head}.{payload}")),
        not_compact("four parts", format!("{head}.{payload}.{signature}.")),
        not_compact("a part in front", format!(".{head}.{payload}.{signature}")),
        not_compact("compact JWE", format!("{encrypted}.AQ.AQ.AQ.AQ")),
        not_compact("dots only", ".".repeat(9000)),
        not_compact("detached in the middle", format!("{head}...{signature}")),
        not_compact(
            "flattened JSON",
            format!(r#"{{"protected":"{head}","payload":"{payload}","signature":"{signature}"}}"#),
        ),
        not_compact(
            "general JSON",
            format!(
                r#"{{"payload":"{payload}","signatures":[{{"protected":"{head}","signature":"{signature}"}}]}}"#
            ),
        ),
        // CVE-2022-39227: a text that is JSON to one reader and compact to another.
        Row::refused(
            "JSON and compact at once",
            format!(r#"{{"{head}.{payload}.{signature}":1,"payload":"e30"}}"#),
            "token-encoding-invalid",
        ),
        Row::refused(
            "over the size cap",
            format!("{head}.{payload}.{}", "A".repeat(17_000)),
            "token-too-long",
        ),
        Row::refused("a megabyte", "A".repeat(1 << 20), "token-too-long"),
    ]
}

fn encodings(head: &str, payload: &str, signature: &str) -> Vec<Row> {
    let bent = |name: &str, token: String| Row::refused(name, token, "token-encoding-invalid");
    let (body, last) = signature.split_at(signature.len() - 1);
    // 64 bytes leave four spare bits in the last letter; setting one gives the same bytes.
    let twin = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    let standard = |part: &str| part.replace('-', "+").replace('_', "/") + "+";
    vec![
        bent("padded header", format!("{head}=.{payload}.{signature}")),
        bent("padded payload", format!("{head}.{payload}==.{signature}")),
        bent(
            "padded signature",
            format!("{head}.{payload}.{signature}=="),
        ),
        bent(
            "spare bits in the signature",
            format!("{head}.{payload}.{body}{twin}"),
        ),
        bent(
            "question mark in the signature",
            format!("{head}.{payload}.?{signature}"),
        ),
        bent(
            "question mark in the payload",
            format!("{head}.{payload}?.{signature}"),
        ),
        bent(
            "standard alphabet",
            format!("{head}.{payload}.{}", standard(signature)),
        ),
        bent("space inside", format!("{head}.{payload} .{signature}")),
        bent("tab inside", format!("{head}.\t{payload}.{signature}")),
        bent("percent encoding", format!("{head}.{payload}%.{signature}")),
        bent("not ASCII", format!("{head}.{payload}é.{signature}")),
        bent("NUL at the end", format!("{head}.{payload}.{signature}\0")),
        bent(
            "Bearer in front",
            format!("Bearer {head}.{payload}.{signature}"),
        ),
        Row::refused(
            "empty header",
            format!(".{payload}.{signature}"),
            "token-header-invalid",
        ),
        Row::refused(
            "empty payload",
            format!("{head}..{signature}"),
            "token-payload-invalid",
        ),
        Row::refused(
            "empty signature",
            format!("{head}.{payload}."),
            "token-signature-invalid",
        ),
        Row::refused(
            "another payload",
            format!(
                "{head}.{}.{signature}",
                encode_base64url(claims_of(ISSUER_A).set("sub", "\"root\"").text().as_bytes())
            ),
            "token-signature-invalid",
        ),
    ]
}

fn contents(forge: &Forge) -> Vec<Row> {
    let key = forge.a_key(Algorithm::Es256);
    let (head, claims) = (header(key).text(), claims_of(ISSUER_A).text());
    let mut rows = Vec::new();
    for (name, payload) in [
        ("payload is an array", "[]".to_owned()),
        ("payload is text", "\"alice\"".to_owned()),
        ("payload is null", "null".to_owned()),
        (
            "payload is cut short",
            claims.trim_end_matches('}').to_owned(),
        ),
        ("payload goes on", format!("{claims}{claims}")),
        (
            "payload begins with a byte order mark",
            format!("\u{feff}{claims}"),
        ),
        ("payload has a comment", format!("{claims}//")),
        (
            "payload nests too deep",
            format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500)),
        ),
        (
            "payload has a number beyond floats",
            claims.replace("{\"iss\"", "{\"n\":1e999,\"iss\""),
        ),
        (
            "payload has a lone surrogate",
            claims.replace("alice", "\\ud800"),
        ),
    ] {
        rows.push(Row::refused(
            name,
            sign_text(key, &head, &payload),
            "token-payload-invalid",
        ));
    }
    for (name, bad) in [
        ("header is an array", "[]".to_owned()),
        ("header is text", "\"ES256\"".to_owned()),
        ("header is cut short", head.trim_end_matches('}').to_owned()),
        ("header goes on", format!("{head}{head}")),
    ] {
        rows.push(Row::refused(
            name,
            sign_text(key, &bad, &claims),
            "token-header-invalid",
        ));
    }
    rows
}
