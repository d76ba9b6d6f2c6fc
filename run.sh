#!/bin/bash
# runs a command against this copy
cd /tmp/work/lifecycle/tree; export PYTHONPATH=/tmp/work/lifecycle/tree/.cache/typed PYTHONDONTWRITEBYTECODE=1; exec "$@"
