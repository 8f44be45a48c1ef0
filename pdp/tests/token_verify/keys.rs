//! Which key verifies: never another issuer's, another domain's, or one the token names by a trick.

use edgeward::crypto::Signer;
use edgeward_core::jose::{Algorithm, encode_base64url};

use crate::Row;
use crate::forge::{
    DOMAIN_X, DOMAIN_Y, Forge, ISSUER_A, ISSUER_B, Members, claims_of, header, sign, svid_of,
};

pub(crate) fn rows(forge: &Forge) -> Vec<Row> {
    let mut rows = key_ids(forge);
    rows.extend(across_issuers(forge));
    rows.extend(across_domains(forge));
    rows.extend(signatures(forge));
    rows
}

fn key_ids(forge: &Forge) -> Vec<Row> {
    let (genuine, b, x) = (
        header(forge.a_key(Algorithm::Es256)),
        &forge.b[0],
        &forge.x[0],
    );
    let mut rows = Vec::new();
    for kid in [
        "nobody",
        "A-ES256",
        "a-ES256 ",
        "../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "a-ES256' UNION SELECT 'x",
        "a-ES256\\u0000",
        "https://evil.example/key",
        "|/bin/true",
        "a-*",
    ] {
        let token = forge.of_a_with_header(&genuine.set("kid", format!("\"{kid}\"")));
        rows.push(Row::refused(
            format!("kid {kid}"),
            token,
            "token-key-unknown",
        ));
    }
    let unnamed = sign(b, &header(b).without("kid"), &claims_of(ISSUER_B));
    rows.push(Row::refused(
        "no kid, several keys that fit",
        unnamed,
        "token-key-id-missing",
    ));
    let svid = svid_of("spiffe://x.example/a");
    let unnamed = sign(x, &header(x).without("kid"), &svid);
    rows.push(Row::refused(
        "JWT-SVID without kid",
        unnamed,
        "token-key-id-missing",
    ));
    let twice = sign(&forge.b[3], &header(&forge.b[3]), &claims_of(ISSUER_B));
    rows.push(Row::refused(
        "two keys of one name",
        twice,
        "token-key-ambiguous",
    ));
    rows
}

fn across_issuers(forge: &Forge) -> Vec<Row> {
    let by = |signer: &Signer, claims: &Members| sign(signer, &header(signer), claims);
    let a = forge.a_key(Algorithm::Es256);
    vec![
        Row::refused(
            "B's key for A's token",
            by(&forge.b[0], &claims_of(ISSUER_A)),
            "token-key-unknown",
        ),
        Row::refused(
            "B's key of the same name",
            by(&forge.b[2], &claims_of(ISSUER_A)),
            "token-signature-invalid",
        ),
        Row::refused(
            "A's key of the same name",
            by(a, &claims_of(ISSUER_B)),
            "token-signature-invalid",
        ),
        Row::refused(
            "a domain's key for A's token",
            by(&forge.x[0], &claims_of(ISSUER_A)),
            "token-key-unknown",
        ),
        Row::refused(
            "A's key for a JWT-SVID",
            by(a, &svid_of("spiffe://x.example/a")),
            "token-key-unknown",
        ),
        Row::refused(
            "A speaks for a trust domain",
            by(
                a,
                &claims_of(ISSUER_A).set("sub", "\"spiffe://x.example/a\""),
            ),
            "token-key-unknown",
        ),
        Row::refused(
            "a stranger's key",
            by(&forge.stranger[1], &claims_of(ISSUER_A)),
            "token-key-unknown",
        ),
    ]
}

fn across_domains(forge: &Forge) -> Vec<Row> {
    let by = |signer: &Signer, domain: &str| {
        sign(
            signer,
            &header(signer),
            &svid_of(&format!("spiffe://{domain}/a")),
        )
    };
    vec![
        Row::refused(
            "X's key for Y",
            by(&forge.x[0], DOMAIN_Y),
            "token-key-unknown",
        ),
        Row::refused(
            "Y's key for X",
            by(&forge.y[0], DOMAIN_X),
            "token-key-unknown",
        ),
        Row::refused(
            "X's key of the same name for Y",
            by(&forge.x[2], DOMAIN_Y),
            "token-signature-invalid",
        ),
        Row::refused(
            "Y's key of the same name for X",
            by(&forge.y[1], DOMAIN_X),
            "token-signature-invalid",
        ),
        // It stands in X's bundle, but with another `use`.
        Row::refused(
            "X's key that is not for SVIDs",
            by(&forge.stranger[1], DOMAIN_X),
            "token-key-unknown",
        ),
    ]
}

fn signatures(forge: &Forge) -> Vec<Row> {
    let good = forge.of_a(&claims_of(ISSUER_A));
    let (signed, _) = good.rsplit_once('.').expect("a signature");
    let with = |name: &str, signature: &[u8]| {
        let token = format!("{signed}.{}", encode_base64url(signature));
        Row::refused(name, token, "token-signature-invalid")
    };
    // DER, as X.509 has ECDSA signatures; JWS has r and s side by side.
    let der = [
        &[0x30, 0x44, 0x02, 0x20][..],
        &[1; 32],
        &[0x02, 0x20],
        &[1; 32],
    ]
    .concat();
    let mut rows = vec![
        with("r and s are zero (CVE-2022-21449)", &[0; 64]),
        with("r is zero", &[[0; 32], [1; 32]].concat()),
        with("r and s beyond the order", &[0xff; 64]),
        with("too short", &[1; 63]),
        with("too long", &[1; 65]),
        with("for P-384", &[1; 96]),
        with("in DER", &der),
        with("one byte", &[1]),
    ];
    for (stranger, algorithm) in [(0, Algorithm::Rs256), (1, Algorithm::Es256)] {
        let genuine = header(forge.a_key(algorithm));
        let token = sign(&forge.stranger[stranger], &genuine, &claims_of(ISSUER_A));
        rows.push(Row::refused(
            format!("{algorithm} by a stranger"),
            token,
            "token-signature-invalid",
        ));
    }
    let (head, rest) = good.split_once('.').expect("a header");
    let spaced =
        encode_base64url(format!("{} ", header(forge.a_key(Algorithm::Es256)).text()).as_bytes());
    assert_ne!(head, spaced);
    rows.push(Row::refused(
        "the same header, spelt otherwise",
        format!("{spaced}.{rest}"),
        "token-signature-invalid",
    ));
    rows
}
