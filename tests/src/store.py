"""A store like S3 (moto) over https, which checks who asks: its own user alone may get what is there.

Arguments: port, certificate, key, authority, folder. What is put into the folder as `bundle.tar.gz` is put
into the bucket; the user's keys are written to `keys.json` once all is ready.
"""

import json
import os
import pathlib
import sys
import threading
import time

import boto3
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

port, certificate, key, authority, folder = sys.argv[1:]
folder = pathlib.Path(folder)
url = f"https://localhost:{port}"
app = DomainDispatcherApplication(create_backend_app)
threading.Thread(
    target=run_simple,
    args=("127.0.0.1", int(port), app),
    kwargs={"threaded": True, "ssl_context": (certificate, key)},
    daemon=True,
).start()


def client(service, **keys):
    keys = keys or {"aws_access_key_id": "setup", "aws_secret_access_key": "setup"}
    return boto3.client(service, region_name="eu-central-1", endpoint_url=url, verify=authority, **keys)


for _ in range(200):
    try:
        client("s3").create_bucket(
            Bucket="policies", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        break
    except Exception:
        time.sleep(0.1)
iam = client("iam")
iam.create_user(UserName="pdp")
allowed = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::policies/*"}
policy = {"Version": "2012-10-17", "Statement": [allowed]}
iam.put_user_policy(UserName="pdp", PolicyName="bundles", PolicyDocument=json.dumps(policy))
made = iam.create_access_key(UserName="pdp")["AccessKey"]
keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

# From here on it looks at signatures, and at what their user may.
ActionAuthenticatorMixin.request_count = 0
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0

s3 = client("s3", **keys)
seen = None
while True:
    bundle = folder / "bundle.tar.gz"
    now = bundle.stat().st_mtime_ns if bundle.exists() else None
    if now != seen:
        s3.put_object(Bucket="policies", Key="edge/a b+ü.tar.gz", Body=bundle.read_bytes())
        if seen is None:
            (folder / "keys.new").write_text(json.dumps(keys))
            os.rename(folder / "keys.new", folder / "keys.json")
        seen = now
    time.sleep(0.1)
