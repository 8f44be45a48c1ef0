"""STS (moto) over plain HTTP on this machine, which checks signatures by botocore's own arithmetic.

Arguments: port, folder, the value of our header. Once all is ready, `evidence.json` in the folder has what a user
(`user_presigned`, `user_posted`) and a role's session (`role_…`) sign with botocore, their credentials (`user_keys`), and what is signed with the user's
name and a key that is not its own (`stolen_…`).
"""

import base64
import datetime
import json
import os
import pathlib
import sys
import threading
import time
import urllib.parse

import boto3
import botocore.auth
import botocore.credentials
from botocore.awsrequest import AWSRequest
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

port, folder, server_id = sys.argv[1:]
folder = pathlib.Path(folder)
host = f"127.0.0.1:{port}"
url = f"http://{host}/"
region = "eu-central-1"
header = "X-Edgeward-Server-ID"
body = "Action=GetCallerIdentity&Version=2011-06-15"
moto = DomainDispatcherApplication(create_backend_app)
known = {}


def presigned(keys, named=server_id):
    """The URL that botocore makes now."""
    request = AWSRequest("GET", f"{url}?{body}", headers={header: named})
    botocore.auth.SigV4QueryAuth(keys, "sts", region, expires=900).add_auth(request)
    return request.url


def is_well_signed(query, environ):
    """Whether botocore makes the same URL of the same parts, at the time that it tells."""
    when = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    keys = known.get(query["X-Amz-Credential"].split("/")[0])
    if keys is None or environ.get("HTTP_HOST") != host:
        return False
    clock, botocore.auth.get_current_datetime = botocore.auth.get_current_datetime, lambda: when
    try:
        made = presigned(keys, environ.get("HTTP_X_EDGEWARD_SERVER_ID", ""))
    finally:
        botocore.auth.get_current_datetime = clock
    return dict(urllib.parse.parse_qsl(made.split("?")[1])) == query


def posted(keys):
    headers = {header: server_id, "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", url, headers=headers, data=body)
    botocore.auth.SigV4Auth(keys, "sts", region).add_auth(request)
    text = lambda value: base64.b64encode(value.encode()).decode()
    return json.dumps(
        {
            "iam_http_request_method": "POST",
            "iam_request_url": text(url),
            "iam_request_body": text(body),
            "iam_request_headers": text(json.dumps({name: [value] for name, value in request.headers.items()})),
        }
    )


def app(environ, start_response):
    """moto checks signatures in headers; those in queries are checked here."""
    query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", "")))
    if "X-Amz-Signature" not in query:
        return moto(environ, start_response)
    if not is_well_signed(query, environ):
        start_response("403 Forbidden", [])
        return [b""]
    # moto finds service and caller by this header; it is not asked to check it.
    credential = query["X-Amz-Credential"]
    environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=-"
    count, settings.INITIAL_NO_AUTH_ACTION_COUNT = settings.INITIAL_NO_AUTH_ACTION_COUNT, float("inf")
    try:
        return list(moto(environ, start_response))
    finally:
        settings.INITIAL_NO_AUTH_ACTION_COUNT = count


threading.Thread(target=run_simple, args=("127.0.0.1", int(port), app), daemon=True).start()


def client(service):
    keys = {"aws_access_key_id": "setup", "aws_secret_access_key": "setup"}
    return boto3.client(service, region_name=region, endpoint_url=url, **keys)


for _ in range(200):
    try:
        client("iam").create_user(UserName="ci", Path="/robots/")
        break
    except Exception:
        time.sleep(0.1)
iam = client("iam")
allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
iam.put_user_policy(UserName="ci", PolicyName="sts", PolicyDocument=json.dumps(allowed))
made = iam.create_access_key(UserName="ci")["AccessKey"]
user = botocore.credentials.Credentials(made["AccessKeyId"], made["SecretAccessKey"])
trust = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust))
iam.put_role_policy(RoleName="deploy", PolicyName="sts", PolicyDocument=json.dumps(allowed))
arn = "arn:aws:iam::123456789012:role/deploy"
made = client("sts").assume_role(RoleArn=arn, RoleSessionName="run-7")["Credentials"]
role = botocore.credentials.Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
stolen = botocore.credentials.Credentials(user.access_key, "x" * 40)
known.update({user.access_key: user, role.access_key: role})

# From here on moto looks at signatures.
ActionAuthenticatorMixin.request_count = 0
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0



def variables(keys):
    """Credentials as AWS's tools find them in the environment."""
    told = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    return {**told, **({"AWS_SESSION_TOKEN": keys.token} if keys.token else {})}


token = lambda text: "k8s-aws-v1." + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
evidence = {
    "user_presigned": token(presigned(user)),
    "user_posted": posted(user),
    "role_presigned": token(presigned(role)),
    "role_posted": posted(role),
    "stolen_presigned": token(presigned(stolen)),
    "stolen_posted": posted(stolen),
    "user_keys": variables(user),
    "role_keys": variables(role),
}
new = folder / "evidence.new"
new.write_text(json.dumps(evidence))
os.rename(new, folder / "evidence.json")
threading.Event().wait()
