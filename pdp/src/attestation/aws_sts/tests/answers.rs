//! Answers of STS, and what is none.

use super::*;

const XML: &str = r#"<?xml version="1.0"?>
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:sts::123456789012:assumed-role/deploy/i-0123</Arn>
    <UserId>AROAEXAMPLE:i-0123</UserId>
    <Account>123456789012</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>6f2e</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"#;

#[tokio::test]
async fn what_is_not_the_answer_to_this_question_is_not_believed() {
    let sts = Sts::start().await;
    let settings = settings(Some(&sts));
    let evidence = token(&presigned_url(&sts.host(), "http", HEADERS));
    let identity = identity("123456789012");
    let html = "<html><body>GetCallerIdentityResponse</body></html>";
    let assumed = XML.replace("GetCallerIdentity", "AssumeRole");
    let foreign = XML.replace("https://sts", "https://other");
    let entity = XML.replace(
        "<GetCallerIdentityR",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><GetCallerIdentityR",
    );
    let twice = XML.replace("<Account>", "<Account>999999999999</Account><Account>");
    let nested = XML.replace(">123456789012</Account>", "><b>123456789012</b></Account>");
    let comment = XML.replace(">123456789012</Account>", ">123456<!-- -->789012</Account>");
    let double = identity.replace("\"Account\":", "\"Account\":\"999999999999\",\"Account\":");
    let listed = identity.replace("\"123456789012\"", "[\"123456789012\"]");
    let typed = identity.replace("GetCallerIdentityResult", "AssumeRoleResult");
    let long = format!("{identity}{}", " ".repeat(MAX_ANSWER_BYTES));
    for (status, headers, body, expected) in [
        (
            "200 OK",
            "content-type: application/json\r\n",
            identity.as_str(),
            "taken",
        ),
        ("200 OK", "content-type: text/xml\r\n", XML, "taken"),
        (
            "200 OK",
            "content-type: text/html\r\n",
            html,
            "provider-answer-invalid",
        ),
        ("200 OK", "", "", "provider-answer-invalid"),
        ("200 OK", "", "null", "provider-answer-invalid"),
        ("200 OK", "", &assumed, "provider-answer-invalid"),
        ("200 OK", "", &foreign, "provider-answer-invalid"),
        ("200 OK", "", &entity, "provider-answer-invalid"),
        ("200 OK", "", &twice, "provider-answer-invalid"),
        ("200 OK", "", &nested, "provider-answer-invalid"),
        ("200 OK", "", &comment, "provider-answer-invalid"),
        ("200 OK", "", &double, "provider-answer-invalid"),
        ("200 OK", "", &listed, "provider-answer-invalid"),
        ("200 OK", "", &typed, "provider-answer-invalid"),
        ("200 OK", "", &long, "provider-answer-invalid"),
        (
            "200 OK",
            "content-encoding: gzip\r\n",
            &identity,
            "provider-answer-invalid",
        ),
        (
            "302 Found",
            "location: /other\r\n",
            &identity,
            "provider-answer-invalid",
        ),
        (
            "307 X",
            "location: https://evil.example/\r\n",
            &identity,
            "provider-answer-invalid",
        ),
        ("201 Created", "", &identity, "provider-unavailable"),
        ("304 X", "", "", "provider-answer-invalid"),
        ("400 X", "", &identity, "evidence-rejected"),
        (
            "401 X",
            "www-authenticate: x\r\n",
            &identity,
            "evidence-rejected",
        ),
        ("403 X", "", &identity, "evidence-rejected"),
        ("429 X", "", &identity, "provider-unavailable"),
        ("503 X", "", &identity, "provider-unavailable"),
    ] {
        sts.say(status, headers, body);
        assert_eq!(
            code(&evidence, &settings).await,
            expected,
            "{status} {headers} {body}"
        );
        let posted = text(&posted(&sts.host(), sts.url().as_str()));
        assert_eq!(
            code(&posted, &settings).await,
            expected,
            "posted: {status} {headers} {body}"
        );
        // One question each: nothing was followed.
        assert_eq!(sts.seen().len(), 2);
    }
}

#[test]
fn a_principal_is_one_of_four_kinds_and_agrees_with_its_account_and_id() {
    let told = |arn: &str, user_id: &str| {
        let caller = answer::CallerIdentity {
            account: "123456789012".to_owned(),
            arn: arn.to_owned(),
            user_id: user_id.to_owned(),
        };
        let attributes = Principal::of(&caller)?.attributes()?;
        let arn = attributes.single("arn").unwrap().to_owned();
        Ok::<_, AwsStsRefusal>((arn, attributes.single("user_id").unwrap().to_owned()))
    };
    for (arn, user_id, canonical, id) in [
        (
            "arn:aws:iam::123456789012:user/ci/deploy",
            "AIDAX",
            "arn:aws:iam::123456789012:user/ci/deploy",
            "AIDAX",
        ),
        (
            "arn:aws:iam::123456789012:root",
            "123456789012",
            "arn:aws:iam::123456789012:root",
            "123456789012",
        ),
        (
            "arn:aws:sts::123456789012:federated-user/bob",
            "123456789012:bob",
            "arn:aws:sts::123456789012:federated-user/bob",
            "123456789012:bob",
        ),
        (
            "arn:aws-cn:sts::123456789012:assumed-role/a/b@c",
            "AROAX:b@c",
            "arn:aws-cn:iam::123456789012:role/a",
            "AROAX",
        ),
    ] {
        assert_eq!(
            told(arn, user_id).unwrap(),
            (canonical.to_owned(), id.to_owned())
        );
    }
    for (arn, user_id) in [
        ("", "X"),
        ("arn:aws:iam::999999999999:user/deploy", "AIDAX"),
        ("arn:aws:iam::123456789012:role/deploy", "AROAX"),
        ("arn:aws:iam:eu-west-1:123456789012:user/deploy", "AIDAX"),
        ("arn:evil:iam::123456789012:user/deploy", "AIDAX"),
        ("arn:aws:iam::123456789012:user/", "AIDAX"),
        ("arn:aws:iam::123456789012:user", "AIDAX"),
        ("arn:aws:s3::123456789012:user/deploy", "AIDAX"),
        ("arn:aws:iam::123456789012:user/deploy", ""),
        ("arn:aws:sts::123456789012:assumed-role/a", "AROAX:a"),
        ("arn:aws:sts::123456789012:assumed-role/a/b/c", "AROAX:c"),
        ("arn:aws:sts::123456789012:assumed-role//b", "AROAX:b"),
        ("arn:aws:sts::123456789012:assumed-role/a/b", "AROAX"),
        ("arn:aws:sts::123456789012:assumed-role/a/b", "AROAX:c"),
        ("arn:aws:sts::123456789012:assumed-role/a/b", ":b"),
        ("arn:aws:sts::123456789012:assumed-role/a /b", "AROAX:b"),
        ("arn:aws:sts::123456789012:assumed-role/a/b\n", "AROAX:b\n"),
    ] {
        let refused = told(arn, user_id).unwrap_err();
        assert_eq!(refused.code(), "provider-answer-invalid", "{arn} {user_id}");
    }
}
