#!/bin/sh
# Once, and again without harm: two buckets, and a key for the jobs that reaches these two and nothing else.
set -eu
mc alias set store http://objects:9000 "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" > /dev/null
mc mb --ignore-existing store/lake store/models
cat > /tmp/jobs.json <<'POLICY'
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
   "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::models"]},
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
   "Resource": ["arn:aws:s3:::lake/*", "arn:aws:s3:::models/*"]}
]}
POLICY
mc admin policy create store jobs /tmp/jobs.json
mc admin user add store "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
mc admin policy attach store jobs --user "$AWS_ACCESS_KEY_ID" || true  # it is attached already at a second start
